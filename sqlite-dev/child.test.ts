import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Child, type Program } from './child.ts';
import { lockFolder } from './lock.ts';
import { findPorts } from './ports.ts';
import { loadWalletKey } from './wallet-key.ts';

let folder: string;
let child: Child | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'child-'));
});

afterEach(async () => {
  await child?.stop();
  child = undefined;
  rmSync(folder, { recursive: true });
});

/** The development mint, which is a program as good as any. */
async function program(env: Program['env'] = {}): Promise<Program> {
  const { mint: port } = await findPorts({ mint: 0 }, () => {});
  return {
    name: 'mint',
    script: 'sqlite-dev/mint/main.ts',
    env: { PATH: process.env.PATH, PORT: String(port), MINT_DATABASE: join(folder, 'mint.sqlite'), ...env },
    ready: `http://127.0.0.1:${port}/v1/info`,
    log: join(folder, 'mint.log'),
  };
}

/** Collects what a child tells, and waits for the n-th time it is ready. */
function observer() {
  const pids: number[] = [];
  const notes: string[] = [];
  const waiting = new Set<() => void>();
  return {
    pids,
    notes,
    events: {
      ready: (ready: Child) => {
        pids.push(ready.pid!);
        for (const wake of waiting) wake();
      },
      note: (message: string) => notes.push(message),
    },
    async readyTimes(n: number) {
      while (pids.length < n) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
      }
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    // A zombie still has a pid: its state tells.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a child', () => {
  test('that is killed is there again, each time', async () => {
    const seen = observer();
    child = new Child(await program(), seen.events);
    await child.start();
    for (const n of [1, 2, 3]) {
      process.kill(child.pid!, 'SIGKILL');
      await seen.readyTimes(n + 1);
    }
    expect(new Set(seen.pids).size).toBe(4);
    expect(child.pid).toBe(seen.pids.at(-1));
    expect(seen.notes[0]).toBe('mint ended (SIGKILL), starting it again');
    expect(seen.notes[2]).toMatch(/again in \d+ ms/);
    expect((await fetch(child.program.ready)).status).toBe(200);
  });

  test('that refuses its settings is not tried again, and its last words are shown', async () => {
    const seen = observer();
    child = new Child(await program({ INPUT_FEE_PPK: 'much' }), seen.events);
    await expect(child.start()).rejects.toThrow(/mint \| .*INPUT_FEE_PPK must be a whole number/);
    expect(seen.notes).toEqual([]);
  });

  test('that is stopped ends by itself, and stays so', async () => {
    const seen = observer();
    child = new Child(await program(), seen.events);
    await child.start();
    const [pid] = seen.pids;
    await child.stop();
    expect(isAlive(pid!)).toBe(false);
    expect(child.pid).toBeNull();
    expect(seen.notes).toEqual([]);
    await expect(fetch(child.program.ready)).rejects.toThrow();
  });

  test('ends when whoever supervises it is killed', async () => {
    const { ready, ...rest } = await program();
    const script = `
      import { Child } from '${new URL('child.ts', import.meta.url).href}';
      const events = { note: () => {}, ready: (child) => console.log(child.pid) };
      await new Child(${JSON.stringify({ ...rest, ready })}, events).start();`;
    writeFileSync(join(folder, 'supervisor.mjs'), script);
    const supervising = spawn('node', [join(folder, 'supervisor.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(supervising.stdout, 'data');
    supervising.kill('SIGKILL');
    const pid = Number(line);
    for (let tries = 0; isAlive(pid) && tries < 100; tries++) await sleep(50);
    expect(isAlive(pid)).toBe(false);
  });
});

describe('a start', () => {
  test('gets different free ports when it asks for any', async () => {
    const ports = await findPorts({ sidecar: 0, admin: 0, drain: 0, mint: 0, model: 0 }, () => {});
    expect(new Set(Object.values(ports)).size).toBe(5);
  });

  test('waits for a port that is being given up', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const messages: string[] = [];
    const found = findPorts({ admin: port }, (message) => {
      messages.push(message);
      holder.close();
    });
    expect(await found).toEqual({ admin: port });
    expect(messages).toEqual([`Port ${port} (PORT_ADMIN) is still held, waiting for it`]);
  });

  test('is the only one in its folder', () => {
    const first = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(/DEV_DIR/);
    first[Symbol.dispose]();
    lockFolder(folder)[Symbol.dispose]();
  });

  test('makes the wallet’s keys once, for their owner only', () => {
    const key = loadWalletKey(folder);
    expect(key.publicKey).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(loadWalletKey(folder)).toEqual(key);
    expect(statSync(join(folder, 'wallet.json')).mode & 0o777).toBe(0o600);
  });
});
