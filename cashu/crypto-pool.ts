import { Piscina } from 'piscina';
import type {
  Blinded,
  KeysetToVerify,
  OutputSecret,
  ReadBody,
  SignatureToUnblind,
  TokenBody,
  TokenHead,
  Unblinded,
} from './crypto-worker.ts';
import { CashuError } from './errors.ts';

/** Longer than the largest token takes on a busy machine: what is not done by then never will be. */
const taskTimeout = 10_000;
/** New tokens that may wait in line, some ten ms each: a client that would wait longer had better come again. */
const maxWaiting = 64;
/** A thread holds about 30 MB. A sidecar whose customers top up once an hour gives them back. */
const idleTimeout = 30_000;
/** No token may use up this program's memory: its thread ends first, and its task with an error. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

export interface CryptoPoolOptions {
  /** Threads at most; they start with the first task. */
  threads: number;
}

/** The curve arithmetic and decoding of `crypto-worker.ts`, bounded in threads, waiting tasks, time and memory. */
export class CryptoPool {
  readonly #threads: Piscina;

  constructor({ threads }: CryptoPoolOptions) {
    this.#threads = new Piscina({
      filename: new URL('./crypto-worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout,
      resourceLimits,
    });
  }

  /**
   * The way in, and the only task that is refused: what was begun for a token must not fail because others come in.
   * @throws CashuError `cashu_mint_rate_limited` when too many are waiting
   */
  async readHead(token: string): Promise<TokenHead> {
    if (this.#threads.queueSize >= maxWaiting) {
      throw new CashuError('cashu_mint_rate_limited', {
        message: 'Too many tokens at once: try again with the same token',
        retryAfter: 2,
      });
    }
    return await this.#run('readHead', token);
  }

  readBody(body: ReadBody): Promise<TokenBody> {
    return this.#run('readBody', body);
  }

  hashToYs(secrets: readonly string[]): Promise<string[]> {
    return this.#run('hashToYs', secrets);
  }

  blind(outputs: readonly OutputSecret[]): Promise<Blinded[]> {
    return this.#run('blind', outputs);
  }

  unblind(signatures: readonly SignatureToUnblind[]): Promise<Unblinded> {
    return this.#run('unblind', signatures);
  }

  verifyKeyset(keyset: KeysetToVerify): Promise<boolean> {
    return this.#run('verifyKeyset', keyset);
  }

  warm(): Promise<void> {
    return this.#run('warm', undefined);
  }

  async close(): Promise<void> {
    await this.#threads.destroy();
  }

  async #run<Result>(name: string, task: unknown): Promise<Result> {
    return (await this.#threads.run(task, { name, signal: AbortSignal.timeout(taskTimeout) })) as Result;
  }
}
