import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';

/** What an upstream sends for one request, byte for byte. */
export interface Reply {
  pieces: readonly Buffer[];
  /** What it does then: stays connected, closes, or breaks the connection off. */
  after: 'stay' | 'close' | 'reset';
}

export interface RawUpstream extends AsyncDisposable {
  /** With its `/v1`. */
  url: string;
  /** Requests that came in whole, by the reply they want. */
  readonly arrived: ReadonlySet<number>;
}

/** Clients name the reply they want in this header, which is on the sidecar's list of those it forwards. */
export const replyHeader = 'openai-reply';

const models = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');

/** An upstream that knows nothing of HTTP: it sends what it is told. */
export async function startRawUpstream(replyTo: (n: number) => Reply): Promise<RawUpstream> {
  const arrived = new Set<number>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const head = received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const text = received.toString('latin1', 0, head);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      // What comes once it has said its last gets no reply any more.
      if (received.length < head + 4 + length || !socket.writable) return;
      received = received.subarray(head + 4 + length);
      const n = new RegExp(`\\r\\n${replyHeader}: (\\d+)`, 'i').exec(text)?.[1];
      if (n === undefined) return void socket.write(models);
      arrived.add(Number(n));
      void send(socket, replyTo(Number(n)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    arrived,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function send(socket: Socket, { pieces, after }: Reply): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await tick();
  }
  if (after === 'close') socket.end();
  else if (after === 'reset') socket.write('', () => socket.resetAndDestroy());
}
