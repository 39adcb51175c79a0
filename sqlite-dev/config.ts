import { resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names each port, and the port without it. */
export const portVariables = {
  sidecar: ['PORT_SIDECAR', 8402],
  admin: ['PORT_ADMIN', 8403],
  drain: ['PORT_DRAIN', 8404],
  mint: ['PORT_MINT', 3338],
  model: ['PORT_MODEL', 8000],
} as const;

export type PortName = keyof typeof portVariables;

/** What the development set-up was asked for. */
export interface DevConfig {
  /** Absolute path of what it keeps: `DEV_DIR`, `.dev`. */
  folder: string;
  /** 0: any free one. */
  ports: Record<PortName, number>;
  /** `UPSTREAM_BASE_URL`: a real server in place of the stub. */
  upstream: string | undefined;
  /** `CASHU_MINTS`: real mints in place of the development mint, which is one of them when it is listed. */
  mints: readonly string[] | undefined;
  /** Everything, for the sidecar's own variables. */
  env: Environment;
}

/** @throws TypeError that names the variable */
export function readDevConfig(env: Environment): DevConfig {
  const ports = Object.entries(portVariables).map(([name, [variable, otherwise]]) => [
    name,
    readPort(variable, env[variable], otherwise),
  ]);
  const mints = env.CASHU_MINTS?.split(',').map((mint) => mint.trim().replace(/\/+$/, ''));
  return {
    folder: readFolder(env),
    ports: Object.fromEntries(ports),
    upstream: env.UPSTREAM_BASE_URL || undefined,
    mints: env.CASHU_MINTS ? mints?.filter((mint) => mint !== '') : undefined,
    env,
  };
}

/** What `make token` was asked for: `AMOUNT` in sats. */
export function readTokenConfig(env: Environment): { folder: string; amount: number } {
  const text = env.AMOUNT || '1000';
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new TypeError(`AMOUNT must be a whole number of sats, not "${text}"`);
  return { folder: readFolder(env), amount: Number(text) };
}

function readFolder(env: Environment): string {
  return resolve(env.DEV_DIR || '.dev');
}

function readPort(variable: string, text: string | undefined, otherwise: number): number {
  if (!text) return otherwise;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new TypeError(`${variable} must be a port number, 0 to 65535, not "${text}"`);
  }
  return Number(text);
}
