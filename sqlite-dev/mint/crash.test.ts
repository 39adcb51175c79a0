import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sumProofs, Wallet } from '@cashu/cashu-ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let mint: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mint-'));
});

afterEach(async () => {
  await kill();
  rmSync(folder, { recursive: true });
});

/** @returns the URL it listens at */
async function start(): Promise<string> {
  const env = { PATH: process.env.PATH, PORT: '0', MINT_DATABASE: join(folder, 'mint.sqlite') };
  mint = spawn('node', ['sqlite-dev/mint/main.ts'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(mint.stdout!, 'data');
  return /http:\S+/.exec(String(line))![0];
}

async function kill(): Promise<void> {
  if (mint.exitCode !== null || mint.signalCode !== null) return;
  mint.kill('SIGKILL');
  await once(mint, 'exit');
}

async function open(url: string): Promise<Wallet> {
  const wallet = new Wallet(url, { unit: 'sat' });
  await wallet.loadMint();
  return wallet;
}

test('kill -9: what was spent stays spent, what was signed can be restored, keys and books are the same', async () => {
  const wallet = await open(await start());
  const quote = await wallet.createMintQuoteBolt11(300);
  const proofs = await wallet.mintProofsBolt11(300, quote);
  const unclaimed = await wallet.createMintQuoteBolt11(5);
  const swap = await wallet.prepareSwapToReceive({ mint: wallet.mint.mintUrl, unit: 'sat', proofs });
  const drop = { fault: { kind: 'drop', path: 'POST /v1/swap' } };
  await fetch(`${wallet.mint.mintUrl}/control`, { method: 'POST', body: JSON.stringify(drop) });
  await expect(wallet.completeSwap(swap)).rejects.toThrow();
  await kill();

  const again = await open(await start());
  expect(again.keyChain.getKeyset().id).toBe(wallet.keyChain.getKeyset().id);
  await expect(again.receive(proofs)).rejects.toMatchObject({ code: 11001 });
  await expect(again.mintProofsBolt11(300, quote)).rejects.toMatchObject({ code: 20002 });
  const outputs = swap.keepOutputs ?? [];
  const { signatures } = await again.mint.restore({
    outputs: outputs.map(({ blindedMessage }) => blindedMessage),
  });
  const restored = outputs.map((output, index) =>
    output.toProof(signatures[index]!, again.keyChain.getKeyset()),
  );
  const claimed = await again.mintProofsBolt11(5, unclaimed);
  const held = sumProofs([...(await again.receive(restored)), ...claimed]).toNumber();
  const stats = await (await fetch(`${again.mint.mintUrl}/control/stats`)).json();
  expect(stats).toMatchObject({ units: { sat: { paidIn: 305, outstanding: held, difference: 0 } } });
});
