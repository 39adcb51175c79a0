import { createECDH, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { freePorts } from './free-ports.ts';
import type { Program, Programs } from './program.ts';

/** 20 proofs, since each bit is one: as many as a token of odd worth has. */
const twentyProofs = 2 ** 20 - 1;

export interface ShopOptions {
  programs: Programs;
  folder: string;
  /** Flags of Node for the sidecar. */
  node?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** A sidecar as in production, but for its mint and model: a ledger on disk, a log that goes nowhere. */
export class Shop {
  readonly modelUrl: string;
  readonly mintUrl: string;
  readonly #options: ShopOptions;
  readonly #wallet = createECDH('secp256k1').generateKeys('hex', 'compressed');
  #sidecar: Program | undefined;
  #url = '';
  #admin = '';

  private constructor(options: ShopOptions, modelUrl: string, mintUrl: string) {
    this.#options = options;
    this.modelUrl = modelUrl;
    this.mintUrl = mintUrl;
  }

  /** With the sidecar running. */
  static async open(options: ShopOptions): Promise<Shop> {
    const { programs, folder } = options;
    const [modelUrl, mintUrl] = await Promise.all([
      listening(programs, 'sqlite-dev/model/main.ts', { RECORDED: '0' }),
      listening(programs, 'sqlite-dev/mint/main.ts', { MINT_DATABASE: join(folder, 'mint.sqlite') }),
    ]);
    const shop = new Shop(options, modelUrl, mintUrl);
    await shop.spawn();
    await shop.ready();
    return shop;
  }

  get sidecar(): Program {
    return this.#sidecar!;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts the sidecar, and does not wait for it. */
  async spawn(): Promise<void> {
    const [paid, admin, drain] = await freePorts(3);
    this.#url = `http://127.0.0.1:${paid}`;
    this.#admin = `http://127.0.0.1:${admin}`;
    this.#sidecar = this.#options.programs.node('sidecar/main.ts', {
      node: this.#options.node ?? [],
      env: {
        UPSTREAM_BASE_URL: `${this.modelUrl}/v1`,
        CASHU_MINTS: this.mintUrl,
        WALLET_PUBLIC_KEY: this.#wallet,
        WALLET_VIEW_KEY: randomBytes(32).toString('hex'),
        MODELS_PATH: 'models.example.json',
        BTC_USD: '100000',
        DATABASE_URL: `sqlite://${join(this.#options.folder, 'ledger.sqlite')}`,
        REDEMPTIONS_PER_MINUTE: '100000',
        MINT_REQUESTS_PER_SECOND: '100000',
        HOST: '127.0.0.1',
        PORT: String(paid),
        ADMIN_PORT: String(admin),
        DRAIN_PORT: String(drain),
        LOG_LEVEL: 'info',
        ...this.#options.env,
      },
    });
  }

  /** Waits for `/readyz`. */
  async ready(): Promise<void> {
    await this.sidecar.until(() => answered(`${this.#admin}/readyz`));
  }

  /** A fresh token of 20 proofs. */
  token(): Promise<string> {
    return mintToken(this.mintUrl, twentyProofs);
  }

  /** A prepaid key. */
  async key(): Promise<string> {
    const response = await fetch(`${this.url}/v1/wallet/info`, {
      headers: { authorization: `Bearer ${await this.token()}` },
    });
    const { api_key } = (await response.json()) as { api_key: string };
    return api_key;
  }
}

/** @returns true once it answers 200, else undefined */
export async function answered(url: string, init?: RequestInit): Promise<true | undefined> {
  const response = await fetch(url, init).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200 ? true : undefined;
}

/** Starts one of our own servers, which says where it listens. */
async function listening(programs: Programs, script: string, env: Record<string, string>): Promise<string> {
  const line = await programs.node(script, { env: { PORT: '0', ...env }, stdout: 'piped' }).firstLine();
  return line.slice(line.lastIndexOf('http'));
}
