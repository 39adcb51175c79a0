import { type Figure, type FigureContext, type Row, row, rowBeside } from '../measure/figure.ts';
import { startHop } from '../measure/hops.ts';
import { answered, Shop } from '../measure/shop.ts';

const rounds = 5;

/** From the start of the process to its first answers, with a ledger that has been used. */
export const start: Figure = { name: 'start', measure };

async function measure({ folder, programs, progress }: FigureContext): Promise<Row[]> {
  progress('starting the servers');
  const shop = await Shop.open({ folder, programs });
  const ask: RequestInit = {
    method: 'POST',
    headers: { authorization: `Bearer ${await shop.key()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stub-chat',
      messages: [{ role: 'user', content: 'hello' }],
      max_tokens: 8,
    }),
  };
  const path = '/v1/chat/completions';
  await shop.sidecar.stop();

  const paid: number[] = [];
  const ready: number[] = [];
  const bare: number[] = [];
  const cpu = { sidecar: [] as number[], bare: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    const spawned = performance.now();
    const since = () => performance.now() - spawned;
    await shop.spawn();
    const [answeredAt, readyAt] = await Promise.all([
      shop.sidecar.until(() => answered(shop.url + path, ask)).then(since),
      shop.ready().then(since),
    ]);
    paid.push(answeredAt);
    ready.push(readyAt);
    cpu.sidecar.push(shop.sidecar.cpu());
    await shop.sidecar.stop();

    const spawnedBare = performance.now();
    const hop = await startHop(programs, 'bare hop', 'bench/bare-hop.ts', shop.modelUrl);
    await hop.program.until(() => answered(hop.url + path, ask));
    bare.push(performance.now() - spawnedBare);
    cpu.bare.push(hop.program.cpu());
    await hop.program.stop();
  }
  return [
    rowBeside(
      'start to the first paid answer',
      'ms',
      paid,
      { what: 'bare hop', rounds: bare },
      { of: 'value', most: 700 },
    ),
    row('start to /readyz', 'ms', ready),
    rowBeside('CPU of that start', 'ms', cpu.sidecar, { what: 'bare hop', rounds: cpu.bare }),
  ];
}
