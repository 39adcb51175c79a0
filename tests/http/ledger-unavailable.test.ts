import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { startStack } from '../support/stack.ts';

test('without its ledger the sidecar sells nothing: 503, until it is back', async () => {
  await using stack = await startStack();
  const key = await stack.token(64);
  const before = await account(stack, key);
  const url = `${stack.url}/v1/chat/completions`;

  // Another process holds the ledger's write lock for longer than anybody waits.
  const lock = new DatabaseSync(stack.database);
  lock.exec('begin immediate');
  const answer = await ask(url, { key, body: chat() });
  expectError(answer, 503, 'server_error', 'ledger_unavailable');
  expect(retryAfter(answer)).toBeGreaterThan(0);
  expect((await ask(`${stack.admin}/livez`)).status).toBe(200);
  lock.exec('rollback');
  lock.close();

  expect(await account(stack, key)).toEqual(before);
  expect(stack.model.requests().filter(({ method }) => method === 'POST')).toEqual([]);
  expect(charges(stack)).toEqual([]);
  expect((await ask(url, { key, body: chat() })).status).toBe(200);
  await expectBalanced(stack);
});
