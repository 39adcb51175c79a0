import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { quantile } from './measure/spread.ts';

/** What to ask, how, and for how long. */
export interface LoadOptions {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Requests under way at any time, each on a connection of its own that is kept open. */
  inFlight: number;
  /** Until then (ms) requests are begun, or until there were so many. All of them are waited for. */
  ms?: number;
  requests?: number;
}

export interface LoadResult {
  requests: number;
  /** Answers that were not 200, or broke off. */
  failed: number;
  /** From the first request to the last answer, ms. */
  ms: number;
  /** Of an answer, ms. */
  median: number;
  p99: number;
}

/** Asks the same over and over. A process of its own: what it costs must not count as the server's. */
async function load(options: LoadOptions): Promise<LoadResult> {
  const { url, headers, body, inFlight, ms = Number.POSITIVE_INFINITY } = options;
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: inFlight, pipelining: 1 });
  const content = Buffer.from(body);
  const took: number[] = [];
  const started = performance.now();
  let left = options.requests ?? Number.POSITIVE_INFINITY;
  let failed = 0;

  const one = () =>
    new Promise<void>((resolve) => {
      const sent = performance.now();
      let status = 0;
      const done = (good: boolean) => {
        took.push(performance.now() - sent);
        if (!good) failed += 1;
        resolve();
      };
      pool.dispatch(
        { path, method: 'POST', headers, body: content },
        {
          onRequestStart() {},
          onResponseStart(_, code) {
            status = code;
          },
          onResponseData() {},
          onResponseEnd: () => done(status === 200),
          onResponseError: () => done(false),
        },
      );
    });

  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0 && performance.now() - started < ms) await one();
    }),
  );
  const whole = performance.now() - started;
  await pool.close();
  took.sort((a, b) => a - b);
  return {
    requests: took.length,
    failed,
    ms: whole,
    median: quantile(took, 0.5),
    p99: quantile(took, 0.99),
  };
}

if (import.meta.main) process.stdout.write(JSON.stringify(await load(JSON.parse(process.argv[2]!))));
