import { expect } from 'vitest';
import type { Recorded } from '../../sqlite-dev/model/recorder.ts';
import { ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { eventually, type Stack } from '../support/stack.ts';

/** A chat that the model answers with a fault (see sqlite-dev/model/fault.ts), in a member that costs nothing. */
export function faulty(fault: string, tokens = 24, more: object = {}): object {
  return chat(tokens, { user: `[[fault:${fault}]]`, ...more });
}

/** The two tokens of `chat()`, at 1 msat each; its answer's cost 2 msat each. */
export const prompt = 2;
export const perToken = 2;

/** The chats that the model was asked for, newest last. */
export function chatsAsked(stack: Stack): Recorded[] {
  return stack.model.requests().filter(({ path }) => path === '/v1/chat/completions');
}

/** A key with so many sats on it, less the mint's fee. */
export async function keyWith(stack: Stack, sats: number): Promise<string> {
  const answer = await ask(`${stack.url}/v1/balance/create`, {
    body: { initial_balance_token: await stack.token(sats) },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json<{ api_key: string }>().api_key;
}

/** Runs a request that must not cost anything: no charge, nothing left set aside. */
export async function free<T>(stack: Stack, key: string, request: () => Promise<T>): Promise<T> {
  const before = await account(stack, key);
  const known = charges(stack).length;
  const answer = await request();
  await eventually(async () => {
    const { balance, reserved } = await account(stack, key);
    expect({ balance, reserved }).toEqual({ balance: before.balance, reserved: 0 });
  });
  expect(charges(stack).length).toBe(known);
  return answer;
}

/** Waits until nothing is set aside any more, and says what the account lost since it had `before` msat. */
export async function spentSince(stack: Stack, key: string, before: number): Promise<number> {
  let spent = 0;
  await eventually(async () => {
    const { balance, reserved } = await account(stack, key);
    expect(reserved).toBe(0);
    spent = before - balance;
  });
  return spent;
}

/**
 * The mint's books and ours agree: what it ever issued is spent, or in our hands, or (`unspent` sats) still with clients.
 * Nothing is set aside and no redemption is in doubt.
 */
export async function expectConserved(stack: Stack, unspent = 0): Promise<void> {
  await expectBalanced(stack);
  const { difference, outstanding } = stack.mint.stats().units.sat!;
  expect(difference).toBe(0);
  const held = (await stack.audit()).books.reduce((sum, book) => sum + book.held, 0n);
  expect(BigInt(outstanding) * 1000n).toBe(held + BigInt(unspent) * 1000n);
}
