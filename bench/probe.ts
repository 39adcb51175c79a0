import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** How long an event loop was kept from turning, ms, since it was last asked. */
export interface Blocked {
  /** By its own work: CPU that its thread used between two turns. */
  longest: number;
  /** As anybody who waited for it saw it: also while the machine gave its core to others. */
  waited: number;
}

/** ms between two looks. Less than this of a block goes unseen. */
const every = 1;

/**
 * Preloaded into a program with `--import`, watches the event loop of its main thread. On SIGUSR2 writes what it saw to
 * the file `BENCH_PROBE` and begins anew.
 */
function watch(file: string): void {
  let blocked: Blocked = { longest: 0, waited: 0 };
  let at = performance.now();
  let used = threadCpu();
  setInterval(() => {
    const now = performance.now();
    const cpu = threadCpu();
    blocked.longest = Math.max(blocked.longest, Math.min(cpu - used, now - at));
    blocked.waited = Math.max(blocked.waited, now - at - every);
    at = now;
    used = cpu;
  }, every).unref();
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify(blocked));
    blocked = { longest: 0, waited: 0 };
  });
}

function threadCpu(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

if (isMainThread && process.env.BENCH_PROBE) watch(process.env.BENCH_PROBE);
