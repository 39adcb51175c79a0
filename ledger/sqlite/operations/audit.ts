import type { AuditReport, Book, Violation } from '../../audit.ts';
import type { Connection } from '../connection.ts';

/** A broken ledger may break a rule a million times; the first ones say what is wrong. */
const MOST = 100;

type Sums = Omit<Book, 'difference' | 'owed'>;

// Credits come from what was redeemed and invoiced, not from the journal, so that the books do not prove themselves.
const books = `
  select mint, unit, sum(credited) as credited, sum(balances) as balances, sum(reserved) as reserved, sum(earned) as earned,
    sum(paid_out) as "paidOut", sum(refunded) as refunded, sum(refunds_pending) as "refundsPending", sum(fees) as fees,
    sum(held) as held
  from (
    select mint, unit, credited, 0 as balances, 0 as reserved, 0 as earned, 0 as paid_out, 0 as refunded,
      0 as refunds_pending, 0 as fees, 0 as held
      from redemption where state = 'credited'
    union all select mint, unit, amount, 0, 0, 0, 0, 0, 0, 0, 0 from invoice where state = 'paid'
    union all select mint, unit, 0, balance, reserved, 0, 0, 0, 0, 0, 0
      from account where parent is null and kind <> 'house'
    union all select mint, unit, 0, 0, 0, amount, 0, 0, 0, 0, 0 from earning where unit <> 'house'
    union all select mint, unit, 0, 0, 0, 0, amount, 0, 0, fee, 0 from payout where state = 'paid'
    union all select mint, unit, 0, 0, 0, 0, 0, amount,
        case when state in ('debited', 'planned', 'failed') then amount else 0 end, 0, 0
      from refund where state <> 'returned'
    union all select mint, unit, 0, 0, 0, 0, 0, 0, 0, -amount, 0 from entry where kind = 'fee' and account is null
    union all select mint, unit, 0, 0, 0, 0, 0, 0, 0, 0, case unit when 'sat' then amount * 1000 else amount end
      from proof where state = 'unspent'
  ) as movement group by mint, unit order by mint, unit`;

const rules: readonly { rule: Violation['rule']; sql: string }[] = [
  {
    rule: 'balance_is_sum_of_entries',
    sql: `select a.preview as subject, coalesce(e.total, 0) as expected, a.balance as actual
      from account a
      left join (select account, sum(amount) as total from entry where account is not null group by account) e
        on e.account = a.key_hash
      where a.balance <> coalesce(e.total, 0)`,
  },
  {
    rule: 'reserved_is_sum_of_holds',
    sql: `select a.preview as subject, coalesce(h.total, 0) as expected, a.reserved as actual
      from account a
      left join (
        select key, sum(amount) as total from (
          select payer as key, amount from hold union all select account, amount from hold where account <> payer
        ) as part group by key
      ) h on h.key = a.key_hash
      where a.reserved <> coalesce(h.total, 0)
      union all
      select a.preview, coalesce(h.total, 0), a.own_reserved
      from account a
      left join (select account as key, sum(amount) as total from hold group by account) h on h.key = a.key_hash
      where a.own_reserved <> coalesce(h.total, 0)`,
  },
  {
    rule: 'earning_is_sum_of_charges',
    sql: `select provider as subject, sum(charged) as expected, sum(earned) as actual
      from (
        select e.provider, coalesce(a.mint, '') as mint, coalesce(a.unit, 'house') as unit, e.session, e.charged, 0 as earned
        from (
          select provider, session, account, -sum(amount) as charged from entry
          where kind in ('charge', 'charge_late', 'fee') and account is not null group by provider, session, account
        ) e join account a on a.key_hash = e.account
        union all select provider, mint, unit, session, 0, amount from earning
      ) as part
      group by provider, mint, unit, session having sum(charged) <> sum(earned)`,
  },
  {
    rule: 'nothing_negative',
    sql: `select preview as subject, 0 as expected, min(balance, reserved, spent) as actual from account
        where balance < 0 or reserved < 0 or spent < 0
      union all select preview, balance, reserved from account where parent is null and reserved > balance
      union all select id, amount, accrued from hold where amount < 0 or accrued < 0 or accrued > amount
      union all select provider, 0, amount from earning where amount < 0`,
  },
  {
    rule: 'hold_ended_once',
    sql: `select id as subject, 1 as expected, 2 as actual from hold
      where exists (select 1 from entry where kind = 'charge' and reference = id)
        or exists (select 1 from tombstone where hold = id)`,
  },
];

export function audit(db: Connection) {
  const findBooks = db.prepare<[], Sums>(books);
  const checks = rules.map(({ rule, sql }) => ({
    rule,
    statement: db.prepare<[number], Omit<Violation, 'rule'>>(`select * from (${sql}) as broken limit ?`),
  }));
  const counts = db.prepare<[], { undecided: bigint; accounts: bigint; entries: bigint }>(`
    select (select count(*) from redemption where state = 'undecided') as undecided,
      (select count(*) from account) as accounts, (select count(*) from entry) as entries`);

  return (): AuditReport => {
    const found = findBooks.all().map(close);
    const violations = [
      ...found.flatMap(check),
      ...checks.flatMap(({ rule, statement }) => statement.all(MOST).map((broken) => ({ rule, ...broken }))),
    ];
    const { undecided, accounts, entries } = counts.get()!;
    return {
      books: found,
      violations,
      undecided: Number(undecided),
      accounts: Number(accounts),
      entries: Number(entries),
      balanced: violations.length === 0,
    };
  };
}

function close(sums: Sums): Book {
  const unpaid = sums.earned - sums.paidOut - sums.fees;
  return {
    ...sums,
    difference: sums.credited - sums.balances - sums.earned - sums.refunded,
    owed: sums.balances + unpaid + sums.refundsPending,
  };
}

function check({ mint, unit, ...book }: Book): Violation[] {
  const subject = `${mint} ${unit}`;
  const violations: Violation[] = [];
  if (book.difference !== 0n) {
    violations.push({
      rule: 'books_balance',
      subject,
      expected: book.credited,
      actual: book.credited - book.difference,
    });
  }
  if (book.held < book.owed) {
    violations.push({ rule: 'held_covers_owed', subject, expected: book.owed, actual: book.held });
  }
  return violations;
}
