import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { SqlTypes } from './sql-types.ts';

/**
 * The tables of the ledger. Amounts are msat, times Unix ms, ids and hashes lower-case text, flags 0 or 1.
 *
 * The CHECKs are the last line: an operation decides before it writes, so one that fires is a defect of ours, and it
 * costs the request instead of the money.
 */
export function ledger({ int64, table }: SqlTypes): Migration {
  const statements = [
    // `generation` is raised by whoever restores the database: the sessions after it are numbered above it, because the
    // numbers given since the backup are lost and nonces are derived from them.
    `create table meta (
      id ${int64} primary key check (id = 1),
      version ${int64} not null,
      min_compatible ${int64} not null,
      generation ${int64} not null check (generation >= 0),
      last_session ${int64} not null check (last_session >= 0)
    )`,
    'insert into meta (id, version, min_compatible, generation, last_session) values (1, 1, 1, 0, 0)',

    // `reserved` is what the account pays for, `own_reserved` the part of it that was asked for with this very key: only that
    // counts in the key's own limit, as does `window_spent`.
    `create table account (
      key_hash text primary key,
      kind text not null check (kind in ('key', 'request', 'house')),
      preview text not null,
      balance ${int64} not null check (balance >= 0),
      reserved ${int64} not null check (reserved >= 0),
      own_reserved ${int64} not null check (own_reserved >= 0 and own_reserved <= reserved),
      spent ${int64} not null check (spent >= 0),
      requests ${int64} not null check (requests >= 0),
      mint text,
      unit text check (unit in ('sat', 'msat')),
      refund_minimum ${int64} not null check (refund_minimum >= 0),
      refund_address text,
      created_at ${int64} not null,
      expires_at ${int64},
      used ${int64} not null check (used in (0, 1)),
      parent text,
      balance_limit ${int64} check (balance_limit >= 0),
      limit_reset text check (limit_reset in ('daily', 'weekly', 'monthly')),
      window_start ${int64} not null,
      window_spent ${int64} not null check (window_spent >= 0),
      valid_until ${int64},
      check (parent is not null or reserved <= balance),
      check (parent is null or (kind <> 'request' and balance = 0)),
      check (kind = 'house' or (mint is not null and unit is not null))
    )`,
    'create index account_parent on account (parent) where parent is not null',

    // Credits that the wallet has not confirmed yet: only the provider that claimed them lets them be spent.
    `create table unconfirmed (
      account text not null,
      provider text not null,
      amount ${int64} not null check (amount >= 0),
      primary key (account, provider)
    )`,

    // `payer` is whose money it is: the parent's when a child key asks.
    `create table hold (
      id text primary key,
      account text not null,
      payer text not null,
      amount ${int64} not null check (amount >= 0),
      accrued ${int64} not null check (accrued >= 0 and accrued <= amount),
      extended ${int64} not null check (extended >= 0),
      provider text not null,
      session text not null,
      priced text not null,
      created_at ${int64} not null
    )`,
    'create index hold_session on hold (session)',

    `create table tombstone (
      hold text primary key,
      session text not null,
      created_at ${int64} not null
    )`,

    `create table session (
      id text primary key,
      provider text not null,
      number ${int64} not null unique,
      counter ${int64} not null check (counter >= 0),
      observed ${int64} not null check (observed >= 0),
      fenced ${int64} not null check (fenced in (0, 1)),
      opened_at ${int64} not null
    )`,
    'create index session_alive on session (id) where fenced = 0',

    // `amount` is what the entry did to the balance of `account`, signed. A `fee` with an account is change too small to
    // send; without one it is what the wallet paid a mint out of earnings. `spender` is the child key, if one spent it.
    `create table entry (
      kind text not null check (kind in ('topup', 'charge', 'charge_late', 'refund', 'expiry', 'fee', 'adjustment')),
      reference text not null,
      account text,
      spender text,
      provider text,
      session text,
      mint text,
      unit text,
      amount ${int64} not null,
      shortfall ${int64} not null check (shortfall >= 0),
      reaped ${int64} not null check (reaped in (0, 1)),
      priced text,
      model text,
      path text,
      input_msat ${int64},
      output_msat ${int64},
      input_tokens ${int64},
      output_tokens ${int64},
      estimated ${int64} check (estimated in (0, 1)),
      created_at ${int64} not null,
      primary key (kind, reference),
      check (kind = 'adjustment' or (kind = 'topup' and amount >= 0) or (kind <> 'topup' and amount <= 0)),
      check (account is not null or (mint is not null and unit is not null))
    )`,

    // One row a session, so that settling never contends on a hot row. The session is '' for what no request earned.
    `create table earning (
      provider text not null,
      mint text not null,
      unit text not null check (unit in ('sat', 'msat', 'house')),
      session text not null,
      amount ${int64} not null check (amount >= 0),
      primary key (provider, mint, unit, session)
    )`,

    `create table redemption (
      token_hash text primary key,
      state text not null check (state in ('undecided', 'credited', 'rejected', 'spent_elsewhere')),
      role text check (role in ('create', 'topup', 'request')),
      account text not null,
      provider text not null,
      mint text not null,
      unit text not null check (unit in ('sat', 'msat')),
      attempt text not null,
      credited ${int64} not null check (credited >= 0),
      confirmed ${int64} not null check (confirmed in (0, 1)),
      created_at ${int64} not null,
      check ((role is null) = (state = 'rejected')),
      check (state = 'credited' or credited = 0)
    )`,
    'create index redemption_account on redemption (account)',
    "create index redemption_undecided on redemption (provider) where state = 'undecided'",

    // Each try keeps whom it would credit: one thought dead may come through after the token was tried in another role.
    `create table attempt (
      id text primary key,
      token_hash text not null,
      role text not null check (role in ('create', 'topup', 'request')),
      account text not null,
      preview text,
      expires_at ${int64},
      refund_address text,
      refund_minimum ${int64} check (refund_minimum >= 0),
      balance_limit ${int64} check (balance_limit >= 0),
      limit_reset text check (limit_reset in ('daily', 'weekly', 'monthly')),
      valid_until ${int64},
      refund_pubkey text,
      provider text not null,
      session text not null,
      gross ${int64} not null check (gross >= 0),
      fee ${int64} not null check (fee >= 0 and fee <= gross),
      outputs text not null,
      created_at ${int64} not null
    )`,
    `create table attempt_input (
      attempt text not null,
      n ${int64} not null,
      y text not null,
      primary key (attempt, n)
    )`,
    'create index attempt_input_y on attempt_input (y)',

    // `input`: came with a token and is bound to its redemption. `output`: announced, not here yet. `amount` is in the
    // mint's unit, as the mint signed it.
    `create table proof (
      y text primary key,
      state text not null check (state in ('input', 'output', 'unspent', 'spent')),
      redemption text,
      attempt text,
      provider text,
      mint text not null,
      unit text not null check (unit in ('sat', 'msat')),
      keyset text,
      amount ${int64} check (amount >= 0),
      secret text,
      c text,
      dleq text,
      check (state in ('input', 'output') or (keyset is not null and amount is not null and secret is not null and c is not null))
    )`,
    'create index proof_redemption on proof (redemption, state)',
    'create index proof_attempt on proof (attempt)',
    "create index proof_unspent on proof (mint, unit, amount) where state = 'unspent'",

    `create table refund (
      id text primary key,
      account text not null,
      state text not null check (state in ('debited', 'planned', 'minted', 'delivered', 'failed', 'returned', 'swept')),
      amount ${int64} not null check (amount > 0),
      mint text not null,
      unit text not null check (unit in ('sat', 'msat')),
      recipient text,
      pubkey text not null,
      sealed text,
      created_at ${int64} not null
    )`,
    'create index refund_account on refund (account)',
    "create index refund_open on refund (state, id) where state in ('debited', 'planned', 'failed')",

    `create table invoice (
      id_hash text primary key,
      state text not null check (state in ('requested', 'pending', 'settlement_pending', 'paid', 'expired')),
      purpose text not null check (purpose in ('create', 'topup')),
      account text not null,
      preview text not null,
      provider text not null,
      mint text not null,
      unit text not null check (unit in ('sat', 'msat')),
      amount ${int64} not null check (amount > 0),
      bolt11 text,
      payment_hash text,
      wanted_until ${int64} not null,
      created_at ${int64} not null,
      expires_at ${int64},
      paid_at ${int64}
    )`,
    'create index invoice_account on invoice (account)',
    "create index invoice_open on invoice (state, wanted_until) where state in ('requested', 'pending', 'settlement_pending')",

    `create table payout (
      id text primary key,
      provider text not null,
      mint text not null,
      unit text not null check (unit in ('sat', 'msat')),
      state text not null check (state in ('planned', 'invoiced', 'quoted', 'executing', 'paid', 'failed')),
      amount ${int64} not null check (amount > 0),
      fee ${int64} not null check (fee >= 0),
      created_at ${int64} not null
    )`,

    `create table rate (
      source text primary key,
      usd_micro_per_btc ${int64} not null check (usd_micro_per_btc > 0),
      fetched_at ${int64} not null
    )`,
    `create table epoch (
      id ${int64} primary key check (id = 1),
      number ${int64} not null check (number >= 0)
    )`,
    'insert into epoch (id, number) values (1, 0)',
  ];

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) {
        await sql.raw(statement.startsWith('create table') ? `${statement} ${table}` : statement).execute(db);
      }
    },
  };
}
