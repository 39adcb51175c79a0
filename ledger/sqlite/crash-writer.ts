import { randomUUIDv7 } from 'node:crypto';
import { systemClock } from '../clock.ts';
import { creditOf, type Database, hash, memo, PROVIDER, World } from '../contract/world.ts';
import { LedgerUnavailableError } from '../errors.ts';
import { openLedger } from '../open-ledger.ts';

/**
 * A process for tests to kill: spends as fast as it can and prints a line for everything the ledger acknowledged, after
 * it did. `node crash-writer.ts sqlite:///path`
 */
const [url = ''] = process.argv.slice(2);
const database: Database = {
  connect: () => openLedger(url, { clock: systemClock }),
  remove: async () => undefined,
};
const world = await World.on(database);
const { ledger, session } = world;
/** Requests under way at once. */
const LANES = 16;

/** Writing to a pipe is synchronous: what was acknowledged has been said before the kill. */
function say(...words: (string | bigint)[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

async function lane(key: string): Promise<never> {
  for (;;) {
    const hold = randomUUIDv7();
    await ledger.reserve(world.hold(key, 5000n, { hold }));
    say('reserved', hold, key);
    await ledger.extend({ hold, session: session.id, n: 1, amount: 6000n });
    await ledger.accrue(session.id, [{ hold, accrued: 2000n }]);
    if (Math.random() < 0.2) {
      await ledger.release(hold, session.id);
      say('released', hold);
    } else {
      const cost = BigInt(Math.floor(Math.random() * 6000));
      const settled = await ledger.settle({ hold, provider: PROVIDER, cost, memo });
      if (settled.kind === 'settled') say('settled', hold, settled.charged);
    }
    const topup = world.attempt(6000n, { target: { role: 'topup', account: key }, tokenHash: hash() });
    await ledger.beginAttempt(topup);
    await ledger.creditAttempt(creditOf(topup));
    say('credited', topup.tokenHash);
  }
}

say('session', session.id);
try {
  const keys = await Promise.all(Array.from({ length: LANES }, () => world.fund(20_000n)));
  await Promise.all(keys.map(lane));
} catch (error) {
  if (!(error instanceof LedgerUnavailableError)) throw error;
  say('unavailable', error.outcome);
  process.exit(0);
}
