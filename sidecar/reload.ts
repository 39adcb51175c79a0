import { readFile } from 'node:fs/promises';
import { setInterval } from 'node:timers/promises';

/**
 * Calls `changed` when the text of one of these files is another than it was. Compared by content, every `interval` ms:
 * a mounted ConfigMap changes by swapping a symbolic link, which file watchers miss.
 */
export async function watchFiles(
  paths: () => readonly string[],
  interval: number,
  changed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let before = await contents(paths());
  try {
    for await (const _ of setInterval(interval, undefined, { signal, ref: false })) {
      const now = await contents(paths());
      if (now === before) continue;
      before = now;
      await changed();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function contents(paths: readonly string[]): Promise<string> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return JSON.stringify(texts);
}
