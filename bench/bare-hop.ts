import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

/**
 * What any proxy on Node has to do, and nothing else: passes bytes from the client to `UPSTREAM` and back. What the
 * sidecar takes beyond it is the price of being paid.
 */
const pool = new Pool(process.env.UPSTREAM!, { connections: 1024, pipelining: 1 });

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[] | undefined> {
  const { connection, host, 'keep-alive': _, 'transfer-encoding': __, ...rest } = headers;
  return rest;
}

const server = createServer((request, response) => {
  pool.dispatch(
    {
      path: request.url!,
      method: request.method as 'POST',
      headers: endToEnd(request.headers),
      body: request.method === 'GET' ? null : request,
    },
    {
      onRequestStart(controller) {
        response.once('close', () => {
          if (!response.writableFinished) controller.abort(new Error('the client left'));
        });
      },
      onResponseStart(_, status, headers) {
        response.writeHead(status, endToEnd(headers));
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
