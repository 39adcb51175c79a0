/**
 * Waits for `promise` until `signal` fires. What is being waited for goes on: others may wait for it too, or it must not
 * be left half done.
 * @throws the signal's reason
 */
export async function sooner<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // When nobody waits any more, its failure must not end the process as an unhandled one.
  promise.catch(() => {});
  signal.throwIfAborted();
  let stop: () => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
