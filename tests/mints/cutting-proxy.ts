import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** TCP to a real mint, with a knife: what a mint that can't be told to misbehave looks like over a bad line. */
export interface CuttingProxy extends AsyncDisposable {
  /** Stands for the mint's. */
  url: string;
  /**
   * Cuts the connection of the next request whose first line begins so: before the mint sees it (`request`), or when its
   * reply comes (`reply`).
   */
  cut(line: string, when: 'request' | 'reply'): void;
  /** Requests whose first line began so. */
  seen(line: string): number;
}

export async function startCuttingProxy(mint: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(mint);
  const sockets = new Set<Socket>();
  const lines: string[] = [];
  const knives: { line: string; when: 'request' | 'reply' }[] = [];

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let cutReply = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      const [line = ''] = chunk.toString('latin1').split('\r\n', 1);
      if (/ HTTP\/1\.1$/.test(line)) {
        lines.push(line);
        const at = knives.findIndex((knife) => line.startsWith(knife.line));
        const [knife] = at === -1 ? [] : knives.splice(at, 1);
        if (knife?.when === 'request') {
          client.destroy();
          return;
        }
        cutReply = knife?.when === 'reply';
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (cutReply) client.destroy();
      else client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: (line, when) => void knives.push({ line, when }),
    seen: (line) => lines.filter((seen) => seen.startsWith(line)).length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
