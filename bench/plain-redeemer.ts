import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Wallet } from '@cashu/cashu-ts';

/** Redeems what is posted to it at `MINT`, with cashu-ts as its documentation shows it: on the event loop. */
const wallet = new Wallet(process.env.MINT!, { unit: 'sat' });
await wallet.loadMint();

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const proofs = await wallet.receive(Buffer.concat(chunks).toString());
  response.end(JSON.stringify({ proofs: proofs.length }));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
