import { join } from 'node:path';
import { type Aim, type Figure, type FigureContext, type Row, rowBeside } from '../measure/figure.ts';
import { blockedOf, probeInto } from '../measure/probed.ts';
import type { Program } from '../measure/program.ts';
import { Shop } from '../measure/shop.ts';
import { quantile } from '../measure/spread.ts';
import type { Blocked } from '../probe.ts';

const rounds = 4;
/** Tokens a round, of 20 proofs each. */
const tokens = 5;

/**
 * Tokens become balance while the event loop goes on serving; beside the same swap with cashu-ts on the event loop.
 * The longest of all blocks counts, the first redemption's included: one stall is a stall for every stream.
 */
export const redemption: Figure = { name: 'redemption', measure };

/** One who redeems. */
interface Redeemer {
  program: Program;
  probe: string;
  redeem(token: string): Promise<Response>;
}

interface Round extends Blocked {
  median: number;
}

async function measure({ folder, programs, progress }: FigureContext): Promise<Row[]> {
  progress('starting the servers');
  const probe = join(folder, 'sidecar.json');
  const shop = await Shop.open({ folder, programs, ...probeInto(probe) });
  const sidecar: Redeemer = {
    program: shop.sidecar,
    probe,
    redeem: (token) => fetch(`${shop.url}/v1/wallet/info`, { headers: { authorization: `Bearer ${token}` } }),
  };
  const plain = await startPlain({ folder, programs, progress }, shop.mintUrl);

  const ours: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    ours.push(await redeem(shop, sidecar));
    theirs.push(await redeem(shop, plain));
  }
  const row = (what: string, of: (redeemed: readonly Round[]) => number[], aim?: Aim) =>
    rowBeside(what, 'ms', of(ours), { what: 'cashu-ts', rounds: of(theirs) }, aim);
  return [
    row('redemption, longest block', (all) => [Math.max(...all.map(({ longest }) => longest))], {
      of: 'value',
      most: 5,
    }),
    row('redemption, longest wait', (all) => [Math.max(...all.map(({ waited }) => waited))]),
    row('redemption of 20 proofs', (all) => all.map(({ median }) => median)),
  ];
}

async function startPlain({ folder, programs }: FigureContext, mint: string): Promise<Redeemer> {
  const probe = join(folder, 'plain.json');
  const { node, env } = probeInto(probe);
  const program = programs.node('bench/plain-redeemer.ts', {
    node,
    env: { ...env, MINT: mint },
    stdout: 'piped',
  });
  const url = await program.firstLine();
  return { program, probe, redeem: (body) => fetch(url, { method: 'POST', body }) };
}

async function redeem(shop: Shop, { program, probe, redeem }: Redeemer): Promise<Round> {
  const fresh = await Promise.all(Array.from({ length: tokens }, () => shop.token()));
  await blockedOf(program, probe);
  const took: number[] = [];
  for (const token of fresh) {
    const sent = performance.now();
    const response = await redeem(token);
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`A token was answered with ${response.status}`);
    took.push(performance.now() - sent);
  }
  const blocked = await blockedOf(program, probe);
  return {
    ...blocked,
    median: quantile(
      took.toSorted((a, b) => a - b),
      0.5,
    ),
  };
}
