import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ledger } from './figures/ledger.ts';
import { memory } from './figures/memory.ts';
import { redemption } from './figures/redemption.ts';
import { requests } from './figures/requests.ts';
import { start } from './figures/start.ts';
import { streams } from './figures/streams.ts';
import type { Figure, Missing, Row } from './measure/figure.ts';
import { Programs } from './measure/program.ts';
import { table } from './measure/report.ts';

/** On the disk that the repository is on: where temporary files go is often memory, where nothing is durable. */
const place = fileURLToPath(new URL('../.dev/', import.meta.url));

const figures: readonly Figure[] = [requests, streams, ledger, redemption, start, memory];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const unknown = positionals.find((name) => !figures.some((figure) => figure.name === name));
if (unknown !== undefined) {
  process.stderr.write(`No figure ${unknown}: there are ${figures.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
if (process.platform !== 'linux') {
  process.stderr.write('The benchmarks read /proc: they need Linux\n');
  process.exit(2);
}

/** A line that is written over, for who watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function run(figure: Figure): Promise<(Row | Missing)[]> {
  const programs = new Programs();
  await mkdir(place, { recursive: true });
  const folder = await mkdtemp(`${place}bench-`);
  const clear = async () => {
    await programs.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const interrupted = () => void clear().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await figure.measure({
      folder,
      programs,
      progress: (doing) => progress(`${figure.name}: ${doing}`),
    });
  } finally {
    await clear();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    progress('');
  }
}

const rows: (Row | Missing)[] = [];
for (const figure of figures) {
  if (positionals.length === 0 || positionals.includes(figure.name)) rows.push(...(await run(figure)));
}
const machine = { node: process.version, cores: cpus().length, load: loadavg()[0]! };
if (values.json) process.stdout.write(`${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
else {
  const { node, cores, load } = machine;
  process.stdout.write(`${table(rows, process.stdout.isTTY)}\n\n`);
  process.stdout.write(
    `Medians (least–most) of rounds in turns. Node ${node}, ${cores} cores, load ${load.toFixed(1)}\n`,
  );
}
