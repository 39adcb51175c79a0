import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { startWillingUpstream, type WillingUpstream } from './willing-upstream.ts';

/** The running product under fire: a sidecar process in front of a model that answers everything. */
export interface Target extends AsyncDisposable {
  stack: Stack;
  upstream: WillingUpstream;
  /** An API key that holds so many sats. */
  key(sats: number): Promise<string>;
  /** Everything that must hold at the end, whatever came in. */
  survived(except?: Exceptions): Promise<void>;
}

export interface Exceptions {
  /** Clients left, which may cost them their prompt, or another upstream answered: charges without a request served here. */
  moreCharges?: boolean;
  /** `model path tokens` of what may have been free. */
  free?: RegExp;
}

const credential = 'upstream-credential';
/** MB of live objects at which the process under test ends itself: what is kept of an input adds up to that soon. */
const mostObjects = 96;
/** Bytes that it may take in all, buffers and garbage included. */
const mostMemory = 400 * 1024 * 1024;

export async function startTarget(env: Record<string, string> = {}): Promise<Target> {
  const upstream = await startWillingUpstream(credential);
  const stack = await startStack({
    env: {
      UPSTREAM_BASE_URL: upstream.url,
      UPSTREAM_API_KEY: credential,
      BODY_LIMIT_BYTES: String(256 * 1024),
      MINT_REQUESTS_PER_SECOND: '100000',
      LOG_LEVEL: 'trace',
      NODE_OPTIONS: `--max-old-space-size=${mostObjects}`,
      ...env,
    },
  });
  const { pid } = stack.sidecar;
  return {
    stack,
    upstream,
    async key(sats) {
      const response = await fetch(`${stack.url}/v1/balance/create`, {
        method: 'POST',
        body: JSON.stringify({ initial_balance_token: await stack.token(sats) }),
        headers: { 'content-type': 'application/json' },
      });
      return ((await response.json()) as { api_key: string }).api_key;
    },
    async survived({ moreCharges = false, free: mayBeFree } = {}) {
      assert.equal(stack.sidecar.exitCode ?? stack.sidecar.signalCode, null, 'the sidecar died');
      assert.equal(stack.sidecar.pid, pid);
      assert.deepEqual(upstream.complaints, []);
      // What clients left behind is settled a moment later.
      await eventually(async () => {
        const { books, violations } = await stack.audit();
        assert.deepEqual(violations, []);
        assert.deepEqual(
          books.filter(({ reserved }) => reserved !== 0n),
          [],
          'money is still set aside',
        );
      }, 60_000);
      const { charges, free } = chargesIn(stack.database);
      const paid = moreCharges ? charges >= upstream.served : charges === upstream.served;
      assert.ok(paid, `${upstream.served} requests reached the model, ${charges} were charged`);
      assert.deepEqual(
        free.filter((one) => !mayBeFree?.test(one)),
        [],
        'requests that were free',
      );
      const memory = await memoryOf(stack);
      assert.ok(memory < mostMemory, `it takes ${memory} bytes of memory`);
      assertSecretFree(stack.log);
    },
    async [Symbol.asyncDispose]() {
      await stack[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Counted in the ledger itself, not through the code that writes it. */
function chargesIn(path: string): { charges: number; free: string[] } {
  const database = new Database(path, { readonly: true });
  const sql = `select count(*) as charges, group_concat(case amount when 0 then model || ' ' || path || ' ' || input_tokens end) as free from entry where kind in ('charge', 'charge_late') and path is not null`;
  const row = database.prepare(sql).get() as { charges: number; free: string | null };
  database.close();
  return { charges: row.charges, free: row.free?.split(',') ?? [] };
}

async function memoryOf(stack: Stack): Promise<number> {
  const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]);
}

const secret = /sk-[0-9a-f]{64}|cashu[AB][A-Za-z0-9_-]{16,}|upstream-credential/;

/** No credential in any line, neither ours nor a customer's. */
export function assertSecretFree(lines: readonly string[]): void {
  const leak = lines.find((line) => secret.test(line));
  assert.equal(leak, undefined);
}
