import { describe, it, vi } from 'vitest';
import { dieWhileRedeeming, steps } from './killed-while-redeeming.ts';
import { dieInAStorm, dieWhileStreaming } from './killed-while-serving.ts';
import { loseTheLedger, standStill } from './taken-for-dead.ts';

// The dead are given half a minute before their money is set free. All of these wait for it together.
vi.setConfig({ maxConcurrency: 20, testTimeout: 150_000 });

describe.concurrent('kill -9 in the middle of a redemption', () => {
  it.each(Object.entries(steps))('%s: credited once, or unspent', (_, step) => dieWhileRedeeming(step));
});

describe.concurrent('kill -9 while requests run', () => {
  it('what was delivered is charged, and the rest is free again', dieWhileStreaming);
  it('in a storm of requests: no msat is lost or made', dieInAStorm);
});

describe.concurrent('a process that is taken for dead', () => {
  it('delivers nothing more, and charges what it can', standStill);
  it('waits when it can’t reach the ledger, and goes on', loseTheLedger);
});
