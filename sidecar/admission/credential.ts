import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from '../errors.ts';

/**
 * Who pays, as read off the headers, offline.
 * - `key`: a prepaid API key.
 * - `token`: a Cashu token as a Bearer credential: redeemed on first use, the key of its account ever after.
 * - `request`: `X-Cashu`: pays for this one request.
 */
export type Credential =
  | { kind: 'key'; key: string; keyHash: string }
  | { kind: 'token'; token: string; key: string; keyHash: string }
  | { kind: 'request'; token: string; tokenHash: string };

const apiKey = /^sk-[0-9a-f]{64}$/;
const cashuToken = /^cashu[AB][A-Za-z0-9_\-+/=]+$/;
/** Longer than any token with as many proofs as is taken; Node's own header limit is lower, a JSON body's is not. */
const maxTokenLength = 64 * 1024;

/**
 * Reads `X-Cashu`, `Authorization: Bearer …` or `x-api-key`, in this order.
 * @returns undefined when there is none at all
 * @throws HttpError `invalid_api_key` (a malformed key), `invalid_cashu_token`
 */
export function readCredential(headers: IncomingHttpHeaders): Credential | undefined {
  const xCashu = headers['x-cashu'];
  if (xCashu !== undefined) {
    const token = readToken(String(xCashu));
    return { kind: 'request', token, tokenHash: hashOfToken(token) };
  }
  const presented = bearer(headers.authorization) ?? headers['x-api-key'];
  if (presented === undefined) return undefined;
  const value = String(presented).trim();
  if (apiKey.test(value)) return { kind: 'key', key: value, keyHash: hashOfKey(value) };
  if (/^cashu/i.test(value)) {
    const token = readToken(value);
    const key = keyOfToken(token);
    return { kind: 'token', token, key, keyHash: hashOfKey(key) };
  }
  throw new HttpError('invalid_api_key');
}

/**
 * A token as a client sent it, without the `cashu:` prefix of NUT-00 links.
 * @throws HttpError `invalid_cashu_token`
 */
export function readToken(value: string): string {
  const token = value.trim().replace(/^cashu:(\/\/)?/i, '');
  if (token.length > maxTokenLength || !cashuToken.test(token)) throw new HttpError('invalid_cashu_token');
  return token;
}

/** The API key of the account a token made: `sk-` + SHA-256(token). */
export function keyOfToken(token: string): string {
  return `sk-${sha256(token)}`;
}

/** What the ledger knows of a key. */
export function hashOfKey(key: string): string {
  return sha256(key);
}

/** What the ledger knows of a token: SHA-256("redemption" ‖ token), so that it can't be mistaken for a key's hash. */
export function hashOfToken(token: string): string {
  return sha256(`redemption${token}`);
}

export function previewOf(key: string): string {
  return key.slice(0, 8);
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const match = /^Bearer[ \t]+(\S+)[ \t]*$/i.exec(authorization);
  if (!match) throw new HttpError('invalid_api_key');
  return match[1];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
