import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program to keep running. */
export interface Program {
  name: string;
  /** Path of its `main.ts`. */
  script: string;
  env: Readonly<Record<string, string | undefined>>;
  /** URL that answers 200 when it is ready. */
  ready: string;
  /** Path of its log, which is started anew. */
  log: string;
}

export interface ChildEvents {
  ready: (child: Child) => void;
  /** Something that a person should see. */
  note: (message: string) => void;
}

/** ms a program gets to become ready the first time, and to end in after SIGTERM. */
const startGrace = 30_000;
const stopGrace = 35_000;

/** A child that lived longer than this (ms) did not crash because of how it was started. */
const settled = 5000;

/**
 * A process that is started again whenever it dies: at once the first time, then more and more slowly while it
 * keeps dying, as a kubelet does it.
 */
export class Child {
  readonly program: Program;
  readonly #events: ChildEvents;
  readonly #stopping = new AbortController();
  #process: ChildProcess | undefined;
  #running: Promise<void> | undefined;
  #ready = false;
  #everReady = false;

  constructor(program: Program, events: ChildEvents) {
    this.program = program;
    this.#events = events;
  }

  /** Null while it is not ready. */
  get pid(): number | null {
    return this.#ready ? (this.#process?.pid ?? null) : null;
  }

  /** @throws Error with the end of its log when it ends by itself, or is not ready in time, the first time */
  async start(): Promise<void> {
    closeSync(openSync(this.program.log, 'w'));
    const first = Promise.withResolvers<void>();
    this.#running = this.#keepRunning(first);
    const timer = setTimeout(() => first.reject(this.#failure('did not become ready')), startGrace);
    await first.promise.finally(() => clearTimeout(timer));
  }

  /** SIGTERM, and SIGKILL when that takes too long. Returns when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#process?.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), stopGrace);
    await this.#running;
    clearTimeout(timer);
  }

  kill(): void {
    this.#stopping.abort();
    this.#process?.kill('SIGKILL');
  }

  async #keepRunning(first: PromiseWithResolvers<void>): Promise<void> {
    const { signal } = this.#stopping;
    for (let crashes = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      const [code, killedBy] = await this.#runOnce(first);
      if (signal.aborted) break;
      const how = killedBy ?? `exit code ${code}`;
      if (code !== null && !this.#everReady) {
        // What a program decides itself before it was ever ready, about a bad setting, does not get better by itself.
        first.reject(this.#failure(`ended with ${how}`));
        return;
      }
      crashes = performance.now() - startedAt > settled ? 1 : crashes + 1;
      const pause = crashes === 1 ? 0 : Math.min(100 * 2 ** (crashes - 1), 10_000);
      this.#events.note(
        `${this.program.name} ended (${how}), starting it again${pause ? ` in ${pause} ms` : ''}`,
      );
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    first.resolve();
  }

  async #runOnce(first: PromiseWithResolvers<void>): Promise<[number | null, NodeJS.Signals | null]> {
    const child = this.#spawn();
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const gone = new AbortController();
    exit.then(() => gone.abort());
    if (await answers(this.program.ready, gone.signal)) {
      this.#ready = true;
      this.#everReady = true;
      this.#events.ready(this);
      first.resolve();
    }
    const end = await exit;
    this.#ready = false;
    return end;
  }

  #spawn(): ChildProcess {
    const log = openSync(this.program.log, 'a');
    const preload = new URL('exit-with-supervisor.ts', import.meta.url).href;
    // Its log is a file, so that it outlives us by a moment without an error; its own group, so that a Ctrl-C in the
    // terminal reaches only us and the order of stopping is ours.
    this.#process = spawn(process.execPath, ['--import', preload, this.program.script], {
      env: this.program.env as NodeJS.ProcessEnv,
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    return this.#process;
  }

  #failure(what: string): Error {
    const lines = readFileSync(this.program.log, 'utf8').trimEnd().split('\n').slice(-20);
    const log = lines.map((line) => `${this.program.name} | ${line}`).join('\n');
    return new Error(`${this.program.name} ${what}. The end of ${this.program.log}:\n${log}`);
  }
}

/** Waits until a URL answers 200. @returns false when `gone` comes first */
async function answers(url: string, gone: AbortSignal): Promise<boolean> {
  while (!gone.aborted) {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(2000)]);
    const response = await fetch(url, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return true;
    await sleep(25, undefined, { signal: gone }).catch(() => {});
  }
  return false;
}
