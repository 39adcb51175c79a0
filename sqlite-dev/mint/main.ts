import { readMintConfig } from './config.ts';
import { startMint } from './start-mint.ts';

const mint = await startMint(readMintConfig(process.env));
process.stdout.write(`Development mint at ${mint.url}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void mint.close());
