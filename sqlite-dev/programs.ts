import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './child.ts';
import type { DevConfig, PortName } from './config.ts';
import type { WalletKey } from './wallet-key.ts';

/** What is to run where. */
export interface Layout {
  sidecar: Program;
  /** Absent when `CASHU_MINTS` names others only. */
  mint: Program | undefined;
  /** Absent when `UPSTREAM_BASE_URL` names a real server. */
  model: Program | undefined;
  sidecarUrl: string;
  adminUrl: string;
  /** Where tokens for the printed command come from. */
  mintUrl: string;
  modelUrl: string;
  database: string;
  walletPublicKey: string;
}

/** Which ports have to be found: those of programs that others run are theirs. */
export function portsOf(config: DevConfig): Ports {
  const { mint, model, ...sidecar } = config.ports;
  return {
    ...sidecar,
    ...(runsMint(config) ? { mint } : {}),
    ...(config.upstream === undefined ? { model } : {}),
  };
}

type Ports = Partial<Record<PortName, number>>;

export function layOut(config: DevConfig, ports: Ports, key: WalletKey): Layout {
  const devMint = listedMint(config) ?? `http://127.0.0.1:${ports.mint}`;
  const places = {
    sidecarUrl: `http://127.0.0.1:${ports.sidecar}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    mintUrl: runsMint(config) ? devMint : config.mints![0]!,
    modelUrl: config.upstream ?? `http://127.0.0.1:${ports.model}/v1`,
    database: config.env.DATABASE_URL || `sqlite://${join(config.folder, 'ledger.sqlite')}`,
    walletPublicKey: config.env.WALLET_PUBLIC_KEY || key.publicKey,
  };
  return {
    ...places,
    mint: ports.mint === undefined ? undefined : mintProgram(config, ports.mint),
    model: ports.model === undefined ? undefined : modelProgram(config, ports.model),
    sidecar: {
      ...program('sidecar', '../sidecar/main.ts', config.folder),
      env: {
        HOST: '127.0.0.1',
        // Types stripped and code compiled once: a restart takes half the time and a fifth of the memory less.
        NODE_COMPILE_CACHE: join(config.folder, 'compiled'),
        NAME: 'Development provider',
        BTC_USD: '100000',
        // The view key belongs to our wallet: with another one's public key it would find nothing.
        ...(config.env.WALLET_PUBLIC_KEY ? {} : { WALLET_VIEW_KEY: key.viewKey }),
        ...withoutEmpty(config.env),
        UPSTREAM_BASE_URL: places.modelUrl,
        CASHU_MINTS: (config.mints ?? [devMint]).join(','),
        DATABASE_URL: places.database,
        WALLET_PUBLIC_KEY: places.walletPublicKey,
        PORT: String(ports.sidecar),
        ADMIN_PORT: String(ports.admin),
        DRAIN_PORT: String(ports.drain),
      },
      ready: `${places.adminUrl}/readyz`,
    },
  };
}

function mintProgram({ folder, env }: DevConfig, port: number): Program {
  const { PATH, HOME, UNITS, INPUT_FEE_PPK, CACHED_FOR } = env;
  const MINT_DATABASE = join(folder, 'mint.sqlite');
  return {
    ...program('mint', 'mint/main.ts', folder),
    env: { PATH, HOME, PORT: String(port), MINT_DATABASE, UNITS, INPUT_FEE_PPK, CACHED_FOR },
    ready: `http://127.0.0.1:${port}/v1/info`,
  };
}

function modelProgram({ folder, env }: DevConfig, port: number): Program {
  return {
    ...program('model', 'model/main.ts', folder),
    env: { PATH: env.PATH, HOME: env.HOME, HOST: '127.0.0.1', PORT: String(port) },
    ready: `http://127.0.0.1:${port}/v1/models`,
  };
}

function runsMint(config: DevConfig): boolean {
  return config.mints === undefined || listedMint(config) !== undefined;
}

/** The development mint as `CASHU_MINTS` names it: tokens must name it so too. */
function listedMint({ mints, ports }: DevConfig): string | undefined {
  return mints?.find(
    (url) => url === `http://127.0.0.1:${ports.mint}` || url === `http://localhost:${ports.mint}`,
  );
}

function program(name: string, script: string, folder: string): Pick<Program, 'name' | 'script' | 'log'> {
  return { name, script: fileURLToPath(new URL(script, import.meta.url)), log: join(folder, `${name}.log`) };
}

function withoutEmpty(env: DevConfig['env']): DevConfig['env'] {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}
