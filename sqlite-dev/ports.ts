import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PortName, portVariables } from './config.ts';

/** How long whoever held a port before us gets to let go of it, ms: a drained sidecar needs a moment. */
const patience = 10_000;

/**
 * Finds a port for each name: the one that was asked for, or for 0 any free one.
 *
 * @param waiting is told once when a port is still held
 * @throws Error that names the port and its variable when it stays held
 */
export async function findPorts(
  wanted: Readonly<Partial<Record<PortName, number>>>,
  waiting: (message: string) => void,
): Promise<Partial<Record<PortName, number>>> {
  const names = Object.keys(wanted) as PortName[];
  const servers: Server[] = [];
  try {
    // Each is held until all are found, so that no two get the same.
    for (const name of names) servers.push(await hold(name, wanted[name]!, waiting));
    return Object.fromEntries(
      names.map((name, index) => [name, (servers[index]!.address() as AddressInfo).port]),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function hold(name: PortName, port: number, waiting: (message: string) => void): Promise<Server> {
  const [variable] = portVariables[name];
  for (let waited = 0; ; waited += 250) {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      return server;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
    if (waited === 0) waiting(`Port ${port} (${variable}) is still held, waiting for it`);
    if (waited >= patience) {
      throw new Error(
        `Port ${port} is held by another program. Stop it, or choose another: ${variable}=${port + 100}`,
      );
    }
    await sleep(250);
  }
}
