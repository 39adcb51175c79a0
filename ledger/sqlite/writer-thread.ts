import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LedgerOpenError, LedgerUnavailableError } from '../errors.ts';
import type { Batch, Reply, WriterMessage, WriterRequest } from './protocol.ts';

/** What a batch allocates is garbage with its reply: by default V8 would keep 14 MB for it where 4 do as well. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** The thread that writes, as the event loop sees it: one batch at a time. */
export class WriterThread {
  readonly #worker: Worker;
  #pending: PromiseWithResolvers<Reply> | undefined;
  #dead = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: WriterMessage) => {
      if (message.kind === 'reply') this.#pending?.resolve(message.reply);
    });
    // Both come when it crashes. It may have committed before it did.
    worker.on('error', (cause) => this.#died(cause));
    worker.on('exit', () => this.#died());
  }

  /**
   * @param options.create makes and migrates the file where needed.
   * @throws LedgerOpenError
   */
  static async start(file: string, options: { create: boolean }): Promise<WriterThread> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { file, create: options.create },
      resourceLimits,
    });
    const first = await firstMessage(worker);
    if (first.kind === 'unreadable') throw openError(file, first);
    return new WriterThread(worker);
  }

  /** Must not be called again before it settled. @throws LedgerUnavailableError */
  async run(batch: Batch): Promise<Reply> {
    if (this.#dead) throw new LedgerUnavailableError('not_applied');
    this.#pending = Promise.withResolvers();
    this.#send({ kind: 'batch', batch });
    try {
      return await this.#pending.promise;
    } finally {
      this.#pending = undefined;
    }
  }

  get dead(): boolean {
    return this.#dead;
  }

  async close(): Promise<void> {
    if (this.#dead) return;
    const exited = once(this.#worker, 'exit');
    this.#send({ kind: 'close' });
    await exited;
  }

  #send(request: WriterRequest): void {
    this.#worker.postMessage(request);
  }

  #died(cause?: unknown): void {
    this.#dead = true;
    this.#pending?.reject(new LedgerUnavailableError('unknown', { cause }));
  }
}

async function firstMessage(worker: Worker): Promise<WriterMessage> {
  try {
    const [message] = (await once(worker, 'message')) as [WriterMessage];
    return message;
  } catch (cause) {
    return { kind: 'unreadable', code: '', message: String(cause) };
  }
}

function openError(file: string, { code, message }: { code: string; message: string }): LedgerOpenError {
  if (code.startsWith('ledger_')) return new LedgerOpenError(code as LedgerOpenError['code'], message);
  return new LedgerOpenError(
    'ledger_unreadable',
    `The ledger in ${file} can't be opened (${message}): check DATABASE_URL, that the folder is writable, and that the disk is local`,
  );
}
