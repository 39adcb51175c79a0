import { readFile } from 'node:fs/promises';
import { readSettings } from './config.ts';
import { ConfigError } from './config-error.ts';
import { catalogueFiles } from './load-offer.ts';
import { createLog } from './log.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';

const { env } = process;
let sidecar: Sidecar;
try {
  const settings = await readSettings(env);
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  sidecar = await startSidecar({
    settings,
    reread: () => readSettings(env),
    files: [...catalogueFiles(settings), ...(env.CONFIG_FILE ? [env.CONFIG_FILE] : [])],
    log: createLog(settings.LOG_LEVEL),
    version,
  });
} catch (error) {
  const known = error instanceof ConfigError || (error as { code?: string }).code?.startsWith('ledger_');
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void sidecar.stop().then(() => process.exit(0));
  });
}
