import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Endpoints, readEndpoints } from './endpoints.ts';

let folder: string;
let dev: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dev-'));
});

afterEach(async () => {
  await stop('SIGTERM');
  rmSync(folder, { recursive: true });
});

function environment(more: Record<string, string> = {}) {
  const ports = { PORT_SIDECAR: '0', PORT_ADMIN: '0', PORT_DRAIN: '0', PORT_MINT: '0', PORT_MODEL: '0' };
  return { PATH: process.env.PATH, DEV_DIR: folder, ...ports, ...more };
}

/** @returns what it printed once it was ready */
async function start(more: Record<string, string> = {}): Promise<string> {
  dev = spawn('node', ['sqlite-dev/main.ts'], { env: environment(more), stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let errors = '';
  dev.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  for await (const chunk of dev.stdout!.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (printed.includes('make token')) return printed;
  }
  throw new Error(`It did not start: ${errors}`);
}

async function stop(signal: NodeJS.Signals): Promise<unknown> {
  if (dev === undefined || dev.exitCode !== null || dev.signalCode !== null) return;
  const exit = once(dev, 'exit');
  dev.kill(signal);
  const [code] = await exit;
  return code;
}

function tokenIn(text: string): string {
  return /cashuB[\w-]+/.exec(text)![0];
}

function balance({ sidecar }: Endpoints, token: string): Promise<Response> {
  return fetch(`${sidecar.url}/v1/balance/info`, { headers: { authorization: `Bearer ${token}` } });
}

async function token(amount: string): Promise<{ out: string; hint: string }> {
  const make = spawn('node', ['sqlite-dev/token.ts'], { env: environment({ AMOUNT: amount }) });
  const [out, hint] = await Promise.all([make.stdout, make.stderr].map((stream) => stream.toArray()));
  return { out: Buffer.concat(out!).toString(), hint: Buffer.concat(hint!).toString() };
}

test('what is printed is paid for and streams, and is still paid for after Ctrl-C and another start', async () => {
  const printed = await start();
  const endpoints = readEndpoints(folder)!;
  expect(printed).toContain(`curl -N ${endpoints.sidecar.url}/v1/chat/completions`);
  const body = /-d '(.*)'/.exec(printed)![1]!;
  const headers = { authorization: `Bearer ${tokenIn(printed)}`, 'content-type': 'application/json' };
  const answer = await fetch(`${endpoints.sidecar.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body,
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/data: \[DONE\]\s*$/);
  const before = (await (await balance(endpoints, tokenIn(printed))).json()) as { balance: number };
  expect(before.balance).toBeGreaterThan(0);
  expect(before.balance).toBeLessThan(1_000_000);

  expect(await stop('SIGINT')).toBe(0);
  expect(existsSync(join(folder, 'endpoints.json'))).toBe(false);
  await start();
  const again = readEndpoints(folder)!;
  expect(again).toMatchObject({ database: endpoints.database, walletPublicKey: endpoints.walletPublicKey });
  expect(await (await balance(again, tokenIn(printed))).json()).toMatchObject(before);
});

test('each process that is killed is there again, and endpoints.json tells which it is', async () => {
  await start();
  for (const name of ['mint', 'model', 'sidecar'] as const) {
    const { pid } = readEndpoints(folder)![name];
    process.kill(pid!, 'SIGKILL');
    while (readEndpoints(folder)![name].pid === pid) await sleep(20);
    process.kill(readEndpoints(folder)![name].pid!, 0);
  }
  const { sidecar, mint, model } = readEndpoints(folder)!;
  for (const url of [`${sidecar.admin}/readyz`, `${mint.url}/v1/info`, `${model.url}/models`]) {
    expect((await fetch(url)).status).toBe(200);
  }
  const { out, hint } = await token('21');
  expect(out).toMatch(/^cashuB[\w-]+\n$/);
  expect(hint).toContain('21 sat');
  expect((await balance(readEndpoints(folder)!, out.trim())).status).toBe(200);
});

test('a supervisor that was killed leaves nobody behind in the way of the next', async () => {
  const first = await start();
  const { sidecar } = readEndpoints(folder)!;
  await stop('SIGKILL');
  const printed = await start({ PORT_SIDECAR: new URL(sidecar.url).port });
  expect(readEndpoints(folder)!.sidecar.url).toBe(sidecar.url);
  expect(tokenIn(printed)).not.toBe(tokenIn(first));
});

test('a setting that the sidecar refuses stops the start, and is shown', async () => {
  await expect(start({ MARGIN_PERCENT: 'much' })).rejects.toThrow(/sidecar \| .*MARGIN_PERCENT/);
});

test('make token says so when nothing is running', async () => {
  const { out, hint } = await token('21');
  expect(out).toBe('');
  expect(hint).toContain('make dev');
});
