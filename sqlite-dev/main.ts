import { mkdirSync } from 'node:fs';
import { banner } from './banner.ts';
import { readDevConfig } from './config.ts';
import { removeEndpoints } from './endpoints.ts';
import { lockFolder } from './lock.ts';
import { mintToken } from './mint-token.ts';
import { pickModel } from './pick-model.ts';
import { findPorts } from './ports.ts';
import { layOut, portsOf } from './programs.ts';
import { Supervisor } from './supervisor.ts';
import { loadWalletKey } from './wallet-key.ts';

const say = (message: string) => process.stderr.write(`${message}\n`);

async function main(): Promise<void> {
  const config = readDevConfig(process.env);
  const { folder } = config;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  using _lock = lockFolder(folder);
  removeEndpoints(folder);
  const ports = await findPorts(portsOf(config), say);
  const supervisor = new Supervisor(layOut(config, ports, loadWalletKey(folder)), folder, say);
  const stopped = stopOnSignal(supervisor);
  try {
    await Promise.race([supervisor.start(), stopped]);
    if (supervisor.isRunning) {
      const endpoints = supervisor.endpoints();
      const [model, token] = await Promise.all([
        pickModel(endpoints.sidecar.url, endpoints.model.url),
        mintToken(endpoints.mint.url, 1000).catch((error: Error) => error),
      ]);
      if (supervisor.isRunning) process.stdout.write(banner(endpoints, model, token, folder));
    }
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  await stopped;
}

/** Resolves when everything has ended after Ctrl-C or SIGTERM. Asked twice, it no longer waits for anybody. */
function stopOnSignal(supervisor: Supervisor): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let asked = false;
  const stop = () => {
    if (asked) return supervisor.kill();
    asked = true;
    say('Stopping; once more to stop at once');
    supervisor.stop().then(resolve, reject);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  return promise;
}

await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
