import { expect, test } from 'vitest';
import { LedgerUnavailableError } from './errors.ts';
import { GroupCommit, type Outcome } from './group-commit.ts';

/** A disk that writes when it is told to. */
class Disk {
  readonly batches: (readonly number[])[] = [];
  #done: PromiseWithResolvers<readonly Outcome<number>[]> | undefined;

  write = (batch: readonly number[]): Promise<readonly Outcome<number>[]> => {
    this.batches.push(batch);
    this.#done = Promise.withResolvers();
    return this.#done.promise;
  };

  async finish(): Promise<void> {
    this.#done?.resolve(this.batches.at(-1)!.map((value) => ({ value })));
    await settled();
  }

  async fail(error: Error): Promise<void> {
    this.#done?.reject(error);
    await settled();
  }
}

/** Lets every promise that can go on do so. */
const settled = () => new Promise(setImmediate);

test('what is asked while a batch is written goes as the next one', async () => {
  const disk = new Disk();
  const commits = new GroupCommit({ write: disk.write, maxQueued: 100, maxBatch: 100 });
  const first = [commits.submit(1), commits.submit(2)];
  await settled();
  const second = [3, 4, 5].map((n) => commits.submit(n));
  await settled();
  expect(disk.batches).toEqual([[1, 2]]);
  await disk.finish();
  expect(await Promise.all(first)).toEqual([1, 2]);
  expect(disk.batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  await disk.finish();
  expect(await Promise.all(second)).toEqual([3, 4, 5]);
});

test('a batch is bounded, and what may wait is, too', async () => {
  const disk = new Disk();
  const commits = new GroupCommit({ write: disk.write, maxQueued: 5, maxBatch: 2 });
  const asked = Array.from({ length: 7 }, (_, n) => commits.submit(n));
  for (const refused of asked.slice(5)) {
    await expect(refused).rejects.toThrow(expect.objectContaining({ outcome: 'not_applied' }));
  }
  for (let n = 0; n < 3; n++) await disk.finish();
  expect(await Promise.all(asked.slice(0, 5))).toEqual([0, 1, 2, 3, 4]);
  expect(disk.batches).toEqual([[0, 1], [2, 3], [4]]);
});

test('a write that fails is every one of its operations’, and the next batch is written', async () => {
  const disk = new Disk();
  const commits = new GroupCommit({ write: disk.write, maxQueued: 100, maxBatch: 100 });
  const asked = Promise.allSettled([commits.submit(1), commits.submit(2)]);
  await settled();
  const next = commits.submit(3);
  await disk.fail(new LedgerUnavailableError('unknown'));
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await disk.finish();
  expect(await next).toBe(3);
});
