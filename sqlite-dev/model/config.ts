import type { ModelOptions } from './server.ts';

/** `PORT` (8000), `HOST` (127.0.0.1) and `RECORDED`, the number of requests to remember (1000). */
export function readConfig(env: NodeJS.ProcessEnv): ModelOptions {
  const number = (name: string, otherwise: number): number => {
    const text = env[name] ?? String(otherwise);
    if (!/^\d{1,5}$/.test(text)) throw new Error(`${name}: expected a whole number, not "${text}"`);
    return Number(text);
  };
  return { port: number('PORT', 8000), host: env.HOST ?? '127.0.0.1', recorded: number('RECORDED', 1000) };
}
