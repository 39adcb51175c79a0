import { readTokenConfig } from './config.ts';
import { readEndpoints } from './endpoints.ts';
import { mintToken } from './mint-token.ts';

async function main(): Promise<void> {
  const { folder, amount } = readTokenConfig(process.env);
  const endpoints = readEndpoints(folder);
  if (endpoints === undefined) throw new Error(`Nothing is running in ${folder}: "make dev" comes first.`);
  process.stdout.write(`${await mintToken(endpoints.mint.url, amount)}\n`);
  process.stderr.write(
    `${amount} sat from ${endpoints.mint.url}, for "Authorization: Bearer" or "X-Cashu"\n`,
  );
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
