import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `endpoints.json`: where everything is. A `pid` is null for what others run. */
export interface Endpoints {
  sidecar: { url: string; admin: string; pid: number | null };
  mint: { url: string; pid: number | null };
  /** With its `/v1`, as `UPSTREAM_BASE_URL`. */
  model: { url: string; pid: number | null };
  /** As `DATABASE_URL`. */
  database: string;
  walletPublicKey: string;
}

/** Atomic: a reader sees the old file or the new one. */
export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  const path = join(folder, 'endpoints.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(endpoints, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** @returns undefined while nothing is running */
export function readEndpoints(folder: string): Endpoints | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeEndpoints(folder: string): void {
  rmSync(join(folder, 'endpoints.json'), { force: true });
}
