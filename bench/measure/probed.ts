import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Blocked } from '../probe.ts';
import type { Program } from './program.ts';

/** Flags of Node that preload the probe, and the environment it needs. */
export function probeInto(file: string): { node: string[]; env: Record<string, string> } {
  const probe = fileURLToPath(new URL('../probe.ts', import.meta.url));
  return { node: ['--import', probe], env: { BENCH_PROBE: file } };
}

/** How long the event loop of a probed program was blocked since the last call. */
export async function blockedOf(program: Program, file: string): Promise<Blocked> {
  program.signal('SIGUSR2');
  const text = await program.until(async () => {
    const written = await readFile(file, 'utf8').catch(() => '');
    return written.endsWith('}') ? written : undefined;
  });
  await rm(file);
  return JSON.parse(text);
}
