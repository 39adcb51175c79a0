import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Credited,
  createRedeemer,
  type Redeemer,
  type RedeemerEvent,
  type RedeemerOptions,
} from '../../cashu/index.ts';
import { publicKeyOf } from '../../cashu/keys.ts';
import type { Ledger, Session } from '../../ledger/index.ts';
import { openLedger } from '../../ledger/open-ledger.ts';

/** The wallet's secret key: the tests spend with it what the redeemer locked. */
export const walletKey = '5c'.repeat(32);
export const provider = 'till';
/** Nobody hangs up. */
export const patient = new AbortController().signal;

/** The account that a token makes, by a name that is easy to read. */
export function newAccount(name: string) {
  return { keyHash: name.padEnd(64, '0'), preview: 'sk-12345', refundMinimum: 2_000n };
}

/** A redeemer on a real ledger: what one sidecar is, as far as tokens go. */
export interface Till extends AsyncDisposable {
  ledger: Ledger;
  redeemer: Redeemer;
  session: Session;
  viewKey: string;
  events: RedeemerEvent[];
  /** Added to the time of day, ms. */
  skew: { ms: number };
  /** Dies and starts again on the same ledger, as a new session; its old one is fenced when `reaped`. */
  restart(options?: { reaped: boolean }): Promise<Till>;
  /** A token becomes, or finds, the account of this name. */
  redeem(token: string, name?: string): Promise<Credited>;
  /** msat; undefined: there is no such account. */
  balance(name?: string): Promise<bigint | undefined>;
}

export type TillOptions = Partial<RedeemerOptions> & { mints: RedeemerOptions['mints'] };

export async function openTill(options: TillOptions, folder?: string): Promise<Till> {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'till-')));
  const skew = { ms: 0 };
  // Of its own, as every provider's: two ledgers that both begin with session 1 must not make the same outputs.
  const viewKey = options.viewKey ?? randomBytes(32).toString('hex');
  const clock = { now: () => Date.now() + skew.ms };
  const ledger = await openLedger(`sqlite://${join(home, 'ledger.sqlite')}`, { clock });
  const session = await ledger.openSession(provider);
  const events: RedeemerEvent[] = [];
  const redeemer = createRedeemer({
    store: ledger,
    lockKey: publicKeyOf(Buffer.from(walletKey, 'hex'))!,
    viewKey,
    provider,
    session: () => session,
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  });
  let closed = false;
  const close = async () => {
    await redeemer.close();
    await ledger.close();
  };
  return {
    ledger,
    redeemer,
    session,
    viewKey,
    events,
    skew,
    async restart({ reaped } = { reaped: true }) {
      if (reaped) await ledger.reap(session.id, 0n);
      await close();
      closed = true;
      return await openTill({ ...options, viewKey }, home);
    },
    async redeem(token, name = 'a') {
      const incoming = await redeemer.inspect(token, patient);
      const target = { role: 'create', account: newAccount(name) } as const;
      return await redeemer.redeem(incoming, target, { known: false }, patient);
    },
    async balance(name = 'a') {
      return (await ledger.account(newAccount(name).keyHash, provider))?.balance;
    },
    async [Symbol.asyncDispose]() {
      if (!closed) await close();
    },
  };
}
