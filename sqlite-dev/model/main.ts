import { readConfig } from './config.ts';
import { startModel } from './server.ts';

const model = await startModel(readConfig(process.env));
process.stdout.write(`model ${model.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => model.close());
