/**
 * Loaded into each child of the supervisor with `--import`, so that no program has to know that it has one: when the
 * channel to the supervisor closes, because it was killed, the child is told to end as a kubelet would tell it.
 */
import { isMainThread } from 'node:worker_threads';

/** ms to drain in. */
const grace = 35_000;

if (isMainThread && process.channel) {
  process.on('disconnect', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  // A channel that nobody uses is no reason to stay alive.
  process.channel.unref();
}
