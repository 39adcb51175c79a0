import { text } from 'node:stream/consumers';
import { openTill } from './till.ts';

/** A till as a process of its own, to be killed: `node till-process.ts <folder> <mint> <view key>`, the token on stdin. */
const [folder, url, viewKey] = process.argv.slice(2);
const till = await openTill({ mints: [{ url: url! }], viewKey: viewKey! }, folder!);
const { amount } = await till.redeem(await text(process.stdin));
process.stdout.write(`${amount}\n`);
await till[Symbol.asyncDispose]();
