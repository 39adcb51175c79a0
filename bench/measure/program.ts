import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Linux counts a process's time in hundredths of a second (USER_HZ) for everybody who asks by /proc. */
const msPerTick = 10;

/** ms between two questions whether a program is ready: asked more often, it would have to share its core with them. */
const askEvery = 10;

/** ms a program gets to become ready in, and to end in. */
const patience = 30_000;
const stopPatience = 5_000;

export interface ProgramOptions {
  args?: readonly string[];
  /** Flags of Node itself. */
  node?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** `piped`: for `firstLine` and `output`. `null`: to /dev/null, where a log costs what writing it costs. */
  stdout?: 'piped' | 'null';
}

/** A process under measurement. What it used is read from /proc, so it takes no part in being measured. */
export class Program {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#said.push(text));
  }

  /** What a program says when it is ready. @throws Error with its stderr when it ends instead */
  async firstLine(): Promise<string> {
    const lines = createInterface({ input: this.#child.stdout! });
    const [line] = await Promise.race([once(lines, 'line') as Promise<[string]>, this.#ended()]);
    return line;
  }

  /** All it writes until it ends. @throws Error with its stderr when it fails */
  async output(): Promise<string> {
    const chunks: string[] = [];
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
    const [code] = await once(this.#child, 'close');
    if (code !== 0) throw new Error(`It ended with ${code}: ${this.#said.join('')}`);
    return chunks.join('');
  }

  /** ms of CPU so far, all of its threads together. */
  cpu(): number {
    // Behind the name, which may contain anything: the state is field 3 of proc(5), utime 14 and stime 15.
    const fields = this.#proc('stat').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  }

  /** MB of memory that is its own or mapped by it, at the moment. */
  rss(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(this.#proc('status'))![1]) / 1024;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Asks again and again until `ready` resolves with something.
   * @throws Error with its stderr when it ends before, or takes longer than half a minute
   */
  async until<T>(ready: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = performance.now() + patience; performance.now() < deadline; await sleep(askEvery)) {
      const found = await ready();
      if (found !== undefined) return found;
      if (this.#gone) await this.#ended();
    }
    throw new Error(`${this.#name} was not ready in time\n${this.#said.join('')}`);
  }

  async stop(): Promise<void> {
    if (this.#gone) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopPatience);
    await exit;
    clearTimeout(timer);
  }

  get #gone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #ended(): Promise<never> {
    if (!this.#gone) await once(this.#child, 'exit');
    const { exitCode, signalCode } = this.#child;
    throw new Error(`${this.#name} ended: ${signalCode ?? `exit code ${exitCode}`}\n${this.#said.join('')}`);
  }

  get #name(): string {
    return this.#child.spawnargs.join(' ');
  }

  #proc(file: string): string {
    return readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8');
  }
}

/** The processes of one figure: whatever becomes of it, none of them is left behind. */
export class Programs {
  readonly #all: Program[] = [];

  /** @param script a TypeScript program, relative to the repository */
  node(script: string, { args = [], node = [], ...options }: ProgramOptions = {}): Program {
    return this.command(process.execPath, [...node, join(repository, script), ...args], options);
  }

  command(
    command: string,
    args: readonly string[],
    { env = {}, stdout = 'null' }: Omit<ProgramOptions, 'args' | 'node'> = {},
  ): Program {
    const child = spawn(command, args, {
      cwd: repository,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', stdout === 'piped' ? 'pipe' : 'ignore', 'pipe'],
    });
    const program = new Program(child);
    this.#all.push(program);
    return program;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((program) => program.stop()));
  }
}
