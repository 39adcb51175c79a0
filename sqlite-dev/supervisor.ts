import { Child } from './child.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import type { Layout } from './programs.ts';

/** Keeps the programs running and `endpoints.json` true. */
export class Supervisor {
  readonly #layout: Layout;
  readonly #folder: string;
  readonly #children: { sidecar: Child; mint: Child | undefined; model: Child | undefined };
  #running = false;
  #stopped = false;

  constructor(layout: Layout, folder: string, note: (message: string) => void) {
    this.#layout = layout;
    this.#folder = folder;
    const child = (program: Layout['mint']) =>
      program && new Child(program, { note, ready: () => this.#running && this.#announce() });
    this.#children = {
      sidecar: child(layout.sidecar)!,
      mint: child(layout.mint),
      model: child(layout.model),
    };
  }

  /** Starts what the sidecar needs, then the sidecar. @throws Error when one of them can't start */
  async start(): Promise<void> {
    const { sidecar, mint, model } = this.#children;
    await Promise.all([mint?.start(), model?.start()]);
    await sidecar.start();
    if (this.#stopped) return;
    this.#running = true;
    this.#announce();
  }

  /** All were ready once, and nobody has asked to stop. */
  get isRunning(): boolean {
    return this.#running;
  }

  endpoints(): Endpoints {
    const { sidecarUrl, adminUrl, mintUrl, modelUrl, database, walletPublicKey } = this.#layout;
    const { sidecar, mint, model } = this.#children;
    return {
      sidecar: { url: sidecarUrl, admin: adminUrl, pid: sidecar.pid },
      mint: { url: mintUrl, pid: mint?.pid ?? null },
      model: { url: modelUrl, pid: model?.pid ?? null },
      database,
      walletPublicKey,
    };
  }

  /** The sidecar first: what it drains still needs the model, and what it redeems the mint. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#stopped = true;
    removeEndpoints(this.#folder);
    await this.#children.sidecar.stop();
    await Promise.all([this.#children.model?.stop(), this.#children.mint?.stop()]);
  }

  kill(): void {
    for (const child of Object.values(this.#children)) child?.kill();
  }

  #announce(): void {
    writeEndpoints(this.#folder, this.endpoints());
  }
}
