import type { LoadOptions, LoadResult } from '../load.ts';
import type { Program, Programs } from './program.ts';

/** A load's result, and what the server used to serve it. */
export interface Served extends LoadResult {
  /** ms of the server's CPU a request, all of its threads. */
  cpu: number;
  perSecond: number;
}

/**
 * Puts `server` under load from another process.
 * @throws Error when a request failed: what is measured then is something else
 */
export async function loadOn(programs: Programs, server: Program, options: LoadOptions): Promise<Served> {
  const generator = programs.node('bench/load.ts', { args: [JSON.stringify(options)], stdout: 'piped' });
  const before = server.cpu();
  const result: LoadResult = JSON.parse(await generator.output());
  const cpu = (server.cpu() - before) / result.requests;
  if (result.failed > 0) {
    throw new Error(`${result.failed} of ${result.requests} requests to ${options.url} failed`);
  }
  return { ...result, cpu, perSecond: (result.requests / result.ms) * 1000 };
}
