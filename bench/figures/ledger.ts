import { createHash, randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { systemClock as clock } from '../../ledger/clock.ts';
import type { Ledger } from '../../ledger/index.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import { type Figure, type FigureContext, type Row, rowBeside } from '../measure/figure.ts';

const rounds = 5;
const roundMs = 1_000;
const mint = 'https://mint.example';
const provider = 'bench';

/** Reserve and settle, durable each: batched by the ledger, beside a commit for each as one would write it at first. */
export const ledger: Figure = { name: 'ledger', measure };

async function measure({ folder, progress }: FigureContext): Promise<Row[]> {
  const ours = await openLedger(`sqlite://${join(folder, 'ledger.sqlite')}`, { clock });
  const theirs = perRequestCommits(join(folder, 'plain.sqlite'));
  try {
    const pay = await payments(ours);
    const rows: Row[] = [];
    for (const inFlight of [64, 1]) {
      const batched: number[] = [];
      const committed: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        progress(`${inFlight} in flight, round ${round} of ${rounds}`);
        const [a, b] = [await perSecond(inFlight, pay), await perSecond(1, async () => theirs.pay())];
        // The first one is for warming up.
        if (round > 0) {
          batched.push(a);
          committed.push(b);
        }
      }
      rows.push(
        rowBeside(
          `reserve + settle, ${inFlight} in flight`,
          '/s',
          batched,
          { what: 'a commit each', rounds: committed },
          inFlight === 64 ? { of: 'ratio', least: 8 } : undefined,
        ),
      );
    }
    if (!(await ours.audit()).balanced) throw new Error('The books do not balance: see ledger/audit.ts');
    return rows;
  } finally {
    await ours.close();
    theirs.close();
  }
}

async function perSecond(inFlight: number, pay: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let paid = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (; performance.now() - started < roundMs; paid++) await pay();
    }),
  );
  return (paid / (performance.now() - started)) * 1000;
}

/** One request's payment, from an account that has enough. */
async function payments(ledger: Ledger): Promise<() => Promise<void>> {
  const { id: session } = await ledger.openSession(provider);
  const account = hash();
  await fund(ledger, session, account);
  return async () => {
    const hold = randomUUIDv7();
    const reserved = await ledger.reserve({
      hold,
      account,
      amount: 300n,
      accrued: 0n,
      provider,
      session,
      mints: [mint],
      priced: 'bench',
    });
    if (reserved.kind !== 'reserved') throw new Error(`Nothing was reserved: ${reserved.kind}`);
    await ledger.settle({
      hold,
      provider,
      cost: 200n,
      memo: {
        model: 'stub-chat',
        path: '/v1/chat/completions',
        inputMsat: 100n,
        outputMsat: 100n,
        inputTokens: 10,
        outputTokens: 10,
        estimated: false,
      },
    });
  };
}

/** A token's way in, with proofs that no mint ever saw. */
async function fund(ledger: Ledger, session: string, account: string): Promise<void> {
  const amount = 2n ** 30n;
  const attempt = randomUUIDv7();
  const y = `02${hash()}`;
  await ledger.beginAttempt({
    attempt,
    tokenHash: hash(),
    target: { role: 'create', account: { keyHash: account, preview: 'sk-bench', refundMinimum: 1000n } },
    provider,
    session,
    mint,
    unit: 'sat',
    gross: amount * 1000n,
    fee: 0n,
    inputYs: [`02${hash()}`],
    outputYs: [y],
    outputs: '[]',
  });
  const proof = { y, keyset: '00ad268c4d1f5826', amount, secret: hash(), c: `02${hash()}`, dleq: null };
  await ledger.creditAttempt({ attempt, proofs: [proof] });
}

/** The same money with two transactions a request, on a connection of the same settings. Less is kept of each. */
function perRequestCommits(file: string): { pay(): void; close(): void } {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    create table account (key text primary key, balance integer not null, reserved integer not null) strict;
    create table hold (id text primary key, account text not null, amount integer not null) strict;
    create table entry (hold text primary key, account text not null, amount integer not null) strict;
    insert into account values ('account', ${2 ** 50}, 0);`);
  const setAside = db.prepare(
    'update account set reserved = reserved + ? where key = ? and balance - reserved >= ?',
  );
  const hold = db.prepare('insert into hold values (?, ?, ?)');
  const end = db.prepare('delete from hold where id = ?');
  const charge = db.prepare(
    'update account set balance = balance - ?, reserved = reserved - ? where key = ?',
  );
  const enter = db.prepare('insert into entry values (?, ?, ?)');
  const reserve = db.transaction((id: string) => {
    if (setAside.run(300, 'account', 300).changes === 1) hold.run(id, 'account', 300);
  });
  const settle = db.transaction((id: string) => {
    if (end.run(id).changes === 0) return;
    charge.run(200, 300, 'account');
    enter.run(id, 'account', 200);
  });
  return {
    pay() {
      const id = randomUUIDv7();
      reserve.immediate(id);
      settle.immediate(id);
    },
    close: () => db.close(),
  };
}

function hash(): string {
  return createHash('sha256').update(randomUUIDv7()).digest('hex');
}
