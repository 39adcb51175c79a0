import { type ChildProcess, spawn } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../ledger/clock.ts';
import type { AuditReport } from '../../ledger/index.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import { type RunningMint, startMint } from '../../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { type ModelServer, startModel } from '../../sqlite-dev/model/server.ts';

export interface StackOptions {
  /** Settings of the sidecar, over the stack's own. */
  env?: Record<string, string>;
  inputFeePpk?: number;
  /** Mints the sidecar takes besides the stack's own. */
  otherMints?: readonly string[];
}

/** A sidecar process, wherever its ledger is. */
export interface RunningSidecar {
  /** The paid port's URL. */
  url: string;
  admin: string;
  drain: string;
  child: ChildProcess;
  /** Every line it wrote to its log. */
  log: readonly string[];
  /** Without warning. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** A sidecar process on a SQLite file, between a development mint and a stub model that run in the test's process. */
export interface Stack extends AsyncDisposable {
  mint: RunningMint;
  model: ModelServer;
  database: string;
  /** The paid port's URL. Changes with a restart. */
  readonly url: string;
  readonly admin: string;
  readonly drain: string;
  readonly sidecar: ChildProcess;
  /** Every line the sidecar wrote to its log. */
  readonly log: readonly string[];
  /** A fresh token of so many sats. */
  token(sats: number): Promise<string>;
  /** Without warning. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts the sidecar again, on other ports. */
  start(env?: Record<string, string>): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** A second sidecar of the same provider, on the same ledger. Ends with the stack. */
  another(env?: Record<string, string>): Promise<RunningSidecar>;
  /** The books, read while the sidecar runs. */
  audit(): Promise<AuditReport>;
}

const catalogue = new URL('../../models.example.json', import.meta.url).pathname;

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'routstr-'));
  const database = join(folder, 'ledger.sqlite');
  const mint = await startMint({ inputFeePpk: options.inputFeePpk ?? 100 });
  const model = await startModel({ port: 0 });
  const wallet = createECDH('secp256k1');
  const base = {
    UPSTREAM_BASE_URL: `${model.url}/v1`,
    UPSTREAM_API_KEY: 'upstream-credential',
    CASHU_MINTS: [mint.url, ...(options.otherMints ?? [])].join(),
    WALLET_PUBLIC_KEY: wallet.generateKeys('hex', 'compressed'),
    WALLET_VIEW_KEY: randomBytes(32).toString('hex'),
    MODELS_PATH: catalogue,
    BTC_USD: '100000',
    DATABASE_URL: `sqlite://${database}`,
    REDEMPTIONS_PER_MINUTE: '100000',
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    DRAIN_PORT: '0',
    LOG_LEVEL: 'debug',
    ...options.env,
  };
  let running: RunningSidecar;
  const others: RunningSidecar[] = [];
  const log: string[] = [];

  const stack: Stack = {
    mint,
    model,
    database,
    get url() {
      return running.url;
    },
    get admin() {
      return running.admin;
    },
    get drain() {
      return running.drain;
    },
    get sidecar() {
      return running.child;
    },
    log,
    token: (sats) => mintToken(mint.url, sats),
    kill: () => running.kill(),
    async start(env = {}) {
      running = await startProcess({ ...base, ...env }, log);
    },
    async another(env = {}) {
      const other = await startProcess({ ...base, ...env }, []);
      others.push(other);
      return other;
    },
    async stop() {
      await end(running.child, 'SIGTERM');
      return running.child.exitCode;
    },
    async audit() {
      const ledger = await openLedger(`sqlite://${database}`, { clock: systemClock, create: false });
      try {
        return await ledger.audit();
      } finally {
        await ledger.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...(running ? [running] : []), ...others].map((sidecar) => sidecar.kill()));
      await mint.close();
      await model.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await stack.start();
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
  return stack;
}

/** A test run that is killed leaves no sidecar behind. */
const endsWithUs = new URL('../../sqlite-dev/exit-with-supervisor.ts', import.meta.url).href;
/** Sidecars are started by the hundred. */
const compiled = new URL('../../node_modules/.cache/compiled', import.meta.url).pathname;

async function startProcess(env: Record<string, string>, log: string[]): Promise<RunningSidecar> {
  const child = spawn(process.execPath, ['--import', endsWithUs, 'sidecar/main.ts'], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { paid, admin, drain } = await listening(child, log);
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    url: at(paid),
    admin: at(admin),
    drain: at(drain),
    child,
    log,
    kill: () => end(child, 'SIGKILL'),
  };
}

/** Waits for the line that says where the sidecar listens. */
function listening(
  child: ChildProcess,
  log: string[],
): Promise<{ paid: number; admin: number; drain: number }> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => said.push(text));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      log.push(line);
      if (!line.includes('"selling"')) return;
      const { paid, admin, drain } = JSON.parse(line);
      resolve({ paid, admin, drain });
    });
    child.once('exit', (code) => reject(new Error(`The sidecar ended with ${code}: ${said.join('')}`)));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Waits until `check` holds; fails with what it last threw. */
export async function eventually(check: () => Promise<void> | void, within = 10_000): Promise<void> {
  const deadline = performance.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
