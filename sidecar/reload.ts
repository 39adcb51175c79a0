import { stat } from 'node:fs/promises';
import { setInterval } from 'node:timers/promises';

/**
 * Calls `changed` when one of these files is another than it was, looked at every `interval` ms. File watchers miss how a
 * mounted ConfigMap changes, by swapping a symbolic link.
 */
export async function watchFiles(
  paths: readonly string[],
  interval: number,
  changed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let before = await marks(paths);
  try {
    for await (const _ of setInterval(interval, undefined, { signal, ref: false })) {
      const now = await marks(paths);
      if (now === before) continue;
      before = now;
      await changed();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function marks(paths: readonly string[]): Promise<string> {
  const files = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return files.map((file) => (file ? `${file.ino} ${file.size} ${file.mtimeMs}` : 'none')).join();
}
