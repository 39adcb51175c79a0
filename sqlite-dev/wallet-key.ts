import { createECDH, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The development wallet's keys, hex. `secretKey` spends what is redeemed: it goes to no other process. */
export interface WalletKey {
  secretKey: string;
  /** Compressed. */
  publicKey: string;
  viewKey: string;
}

/** Reads `wallet.json`, or makes it, readable by its owner only. Money in `.dev` stays spendable as long as it is there. */
export function loadWalletKey(folder: string): WalletKey {
  const path = join(folder, 'wallet.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const pair = createECDH('secp256k1');
  const publicKey = pair.generateKeys('hex', 'compressed');
  const secretKey = pair.getPrivateKey().toString('hex').padStart(64, '0');
  const key: WalletKey = { secretKey, publicKey, viewKey: randomBytes(32).toString('hex') };
  writeFileSync(path, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return key;
}
