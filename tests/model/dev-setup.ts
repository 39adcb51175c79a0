import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Endpoints, readEndpoints } from '../../sqlite-dev/endpoints.ts';
import { eventually } from '../support/stack.ts';

/** What `make dev` starts, in a folder of its own and on free ports. */
export interface DevSetup extends AsyncDisposable {
  endpoints: Endpoints;
  /** Runs a program of the repository with its arguments; resolves with what it printed, however it ended. */
  run(command: string[], env?: Record<string, string>): Promise<{ code: number; printed: string }>;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const root = new URL('../../', import.meta.url).pathname;
const ports = { PORT_SIDECAR: '0', PORT_ADMIN: '0', PORT_DRAIN: '0', PORT_MINT: '0', PORT_MODEL: '0' };

/** @param upstream a real server, with its /v1 */
export async function startDev(upstream: string): Promise<DevSetup> {
  const folder = await mkdtemp(join(tmpdir(), 'dev-'));
  const base = { PATH: process.env.PATH, DEV_DIR: folder };
  const dev = spawn(process.execPath, ['sqlite-dev/main.ts'], {
    cwd: root,
    env: { ...base, ...ports, UPSTREAM_BASE_URL: upstream },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  dev.stderr!.setEncoding('utf8').on('data', (text: string) => said.push(text));
  let endpoints: Endpoints | undefined;
  await eventually(() => {
    endpoints = dev.exitCode === null ? readEndpoints(folder) : undefined;
    if (!endpoints) throw new Error(`make dev is not ready: ${said.join('')}`);
  }, 45_000);
  return {
    endpoints: endpoints!,
    run: (command, env = {}) =>
      new Promise((resolve) => {
        const options = { cwd: root, env: { ...base, ...env } };
        execFile(process.execPath, command, options, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code ?? 1), printed: stdout + stderr }),
        );
      }),
    stop: () => end(dev),
    async [Symbol.asyncDispose]() {
      await end(dev);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGINT');
    await gone;
  }
  return child.exitCode;
}
