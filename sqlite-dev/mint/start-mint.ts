import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Controls, type Stats, stats } from './control.ts';
import { type Fault, Faults } from './faults.ts';
import { type Keyset, Keysets, type Rotation } from './keysets.ts';
import type { Mint } from './mint.ts';
import { createMintServer } from './server.ts';
import { MintStore } from './store.ts';

export interface MintOptions {
  /** 0: any free one. */
  port?: number;
  host?: string;
  /** SQLite file; in memory unless given. */
  database?: string;
  /** `sat` and `msat` are understood. */
  units?: readonly string[];
  /** Input fee of the first keyset of each unit (NUT-02). */
  inputFeePpk?: number;
  /** Seconds replies are cached for (NUT-19); null: not at all. */
  cachedFor?: number | null;
  /** Unix ms. */
  now?: () => number;
  /** Told of errors that are the mint's own, none of which should ever happen. */
  broken?: (error: unknown) => void;
}

function toStderr(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
}

export interface RunningMint extends AsyncDisposable {
  url: string;
  /** Switches a fault on, as `POST /control {"fault":…}` does. */
  fault(fault: Fault): void;
  clearFaults(): void;
  rotate(rotation: Rotation): Keyset;
  /** As `GET /control/stats`. */
  stats(): Stats;
  /** Requests so far to one path, as in `Fault.path`. */
  hits(path: string): number;
  close(): Promise<void>;
}

/** Starts a mint in this process. */
export async function startMint(options: MintOptions = {}): Promise<RunningMint> {
  const {
    port = 0,
    host = '127.0.0.1',
    units = ['sat'],
    inputFeePpk = 100,
    now = Date.now,
    broken = toStderr,
  } = options;
  const store = new MintStore(options.database ?? ':memory:');
  const keysets = new Keysets(store);
  for (const unit of units) {
    if (!keysets.units().includes(unit)) keysets.rotate({ unit, inputFeePpk });
  }
  const mint: Mint = { store, keysets, now, quoteLifetime: 3600 };
  const controls: Controls = { faults: new Faults(), hits: new Map(), cachedFor: options.cachedFor ?? null };
  const closing = new AbortController();
  const server = createMintServer(mint, controls, broken, closing.signal);
  server.listen(port, host);
  await once(server, 'listening');
  const close = async () => {
    if (closing.signal.aborted) return;
    closing.abort();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    store.close();
  };
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    fault: (fault) => controls.faults.add(fault),
    clearFaults: () => controls.faults.clear(),
    rotate: (rotation) => keysets.rotate(rotation),
    stats: () => stats(mint, controls),
    hits: (path) => controls.hits.get(path) ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}
