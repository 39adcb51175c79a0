import { type Figure, type FigureContext, type Row, rowBeside } from '../measure/figure.ts';
import { startHop } from '../measure/hops.ts';
import { loadOn } from '../measure/load-on.ts';
import { Shop } from '../measure/shop.ts';

const requests = 10_000;

/** Resident memory: what a pod is charged for having a sidecar. */
export const memory: Figure = { name: 'memory', measure };

async function measure({ folder, programs, progress }: FigureContext): Promise<Row[]> {
  progress('starting the servers');
  const shop = await Shop.open({ folder, programs });
  const bare = await startHop(programs, 'bare hop', 'bench/bare-hop.ts', shop.modelUrl);
  const started = [shop.sidecar.rss(), bare.program.rss()] as const;

  const key = await shop.key();
  for (const { program, url } of [{ program: shop.sidecar, url: shop.url }, bare]) {
    progress(`${requests} requests`);
    await loadOn(programs, program, {
      url: `${url}/v1/chat/completions`,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'stub-chat',
        messages: [{ role: 'user', content: 'Say hello to everybody here.' }],
        max_tokens: 16,
      }),
      inFlight: 64,
      requests,
    });
  }
  const used = [shop.sidecar.rss(), bare.program.rss()] as const;
  const most = { of: 'value', most: 130 } as const;
  return [
    rowBeside('RSS, started', 'MB', [started[0]], { what: 'bare hop', rounds: [started[1]] }, most),
    rowBeside(
      'RSS after a token and 10,000 requests',
      'MB',
      [used[0]],
      { what: 'bare hop', rounds: [used[1]] },
      most,
    ),
  ];
}
