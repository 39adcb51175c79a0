import type { LoadOptions } from '../load.ts';
import { type Figure, type FigureContext, type Row, rowBeside } from '../measure/figure.ts';
import { type Hop, startHop } from '../measure/hops.ts';
import { loadOn } from '../measure/load-on.ts';
import { Shop } from '../measure/shop.ts';

const rounds = 5;
const roundMs = 2_000;
const warmMs = 2_000;
const inFlight = 16;
const tokens = 500;

/** A paid stream of 500 tokens, an event each, as models send them: one write an event. */
export const streams: Figure = { name: 'streams', measure };

async function measure({ folder, programs, progress }: FigureContext): Promise<Row[]> {
  progress('starting the servers');
  const shop = await Shop.open({ folder, programs });
  const key = await shop.key();
  const sidecar: Hop = { name: 'sidecar', program: shop.sidecar, url: shop.url };
  const bare = await startHop(programs, 'bare hop', 'bench/bare-hop.ts', shop.modelUrl);

  const ask = ({ url }: Hop, ms: number): LoadOptions => ({
    url: `${url}/v1/chat/completions`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stub-chat',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: `Count to five hundred. [[fault:tokens=${tokens}]]` }],
      max_tokens: tokens,
    }),
    inFlight,
    ms,
  });
  const events = await eventsOf(ask(sidecar, 0));
  const cpu = new Map<Hop, number[]>([
    [sidecar, []],
    [bare, []],
  ]);
  for (const hop of cpu.keys()) {
    progress(`warming up ${hop.name}`);
    await loadOn(programs, hop.program, ask(hop, warmMs));
  }
  for (let round = 1; round <= rounds; round++) {
    for (const [hop, values] of cpu) {
      progress(`round ${round} of ${rounds}, ${hop.name}`);
      const served = await loadOn(programs, hop.program, ask(hop, roundMs));
      values.push((served.cpu * 1000) / events);
    }
  }
  return [
    rowBeside('CPU an event, 16 streams', 'µs', cpu.get(sidecar)!, {
      what: bare.name,
      rounds: cpu.get(bare)!,
    }),
  ];
}

/** How many events one such stream has. */
async function eventsOf({ url, headers, body }: LoadOptions): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers, body });
  const events = (await response.text()).split('\n\n').length - 1;
  if (events < tokens) throw new Error(`A stream of ${tokens} tokens had ${events} events`);
  return events;
}
