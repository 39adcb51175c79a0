import type { LoadOptions } from '../load.ts';
import { type Figure, type FigureContext, type Missing, type Row, rowBeside } from '../measure/figure.ts';
import { type Hop, startHop, startNginx } from '../measure/hops.ts';
import { loadOn, type Served } from '../measure/load-on.ts';
import { Shop } from '../measure/shop.ts';

const rounds = 5;
const roundMs = 2_000;
const warmMs = 2_000;
const inFlight = 64;

/** A short paid completion, buffered: what the sidecar takes for it beside servers that take no money. */
export const requests: Figure = { name: 'requests', measure };

async function measure({ folder, programs, progress }: FigureContext): Promise<(Row | Missing)[]> {
  progress('starting the servers');
  const shop = await Shop.open({ folder, programs });
  const key = await shop.key();
  const sidecar: Hop = { name: 'sidecar', program: shop.sidecar, url: shop.url };
  const bare = await startHop(programs, 'bare hop', 'bench/bare-hop.ts', shop.modelUrl);
  const framework = await startHop(programs, 'fastify hop', 'bench/fastify-hop.ts', shop.modelUrl);
  const nginx = await startNginx(programs, shop.modelUrl, folder);
  const others = nginx ? [bare, framework, nginx] : [bare, framework];
  const hops = [sidecar, ...others];

  const ask = ({ url }: Hop, ms: number): LoadOptions => ({
    url: `${url}/v1/chat/completions`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stub-chat',
      messages: [{ role: 'user', content: 'Say hello to everybody here.' }],
      max_tokens: 16,
    }),
    inFlight,
    ms,
  });
  for (const hop of hops) {
    progress(`warming up ${hop.name}`);
    await loadOn(programs, hop.program, ask(hop, warmMs));
  }
  const served = new Map<Hop, Served[]>(hops.map((hop) => [hop, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const hop of hops) {
      progress(`round ${round} of ${rounds}, ${hop.name}`);
      served.get(hop)!.push(await loadOn(programs, hop.program, ask(hop, roundMs)));
    }
  }

  const each = (hop: Hop, of: (one: Served) => number) => served.get(hop)!.map(of);
  const cpu = (hop: Hop) => each(hop, (one) => one.cpu);
  const perSecond = (hop: Hop) => each(hop, (one) => one.perSecond);
  const rows: (Row | Missing)[] = others.flatMap((hop) => [
    rowBeside(
      'CPU a request, 64 in flight',
      'ms',
      cpu(sidecar),
      { what: hop.name, rounds: cpu(hop) },
      hop === bare ? { of: 'ratio', most: 1.8 } : undefined,
    ),
    rowBeside('requests, 64 in flight', '/s', perSecond(sidecar), { what: hop.name, rounds: perSecond(hop) }),
  ]);
  if (!nginx) rows.push({ what: 'CPU a request beside nginx', missing: 'no nginx on the PATH' });
  return rows;
}
