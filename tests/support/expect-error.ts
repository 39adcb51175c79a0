import { expect } from 'vitest';
import type { Answer } from './ask.ts';

interface ErrorObject extends Record<string, unknown> {
  message: string;
  type: string;
  code: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * An error as every client may read it: the same object in both places, and the request's id in body and header.
 * @returns the error object
 */
export function expectError(answer: Answer, status: number, type: string, code: string): ErrorObject {
  expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} .*"code":"${code}"`));
  const body = answer.json<{ error: ErrorObject; detail: { error: ErrorObject }; request_id: string }>();
  expect(body.error).toMatchObject({ type, code, message: expect.stringMatching(/\S/) });
  expect(body.detail.error).toEqual(body.error);
  expect(body.request_id).toMatch(uuid);
  expect(answer.headers.get('x-routstr-request-id')).toBe(body.request_id);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  return body.error;
}

/** Seconds to wait, as a client reads them. */
export function retryAfter(answer: Answer): number {
  const value = answer.headers.get('retry-after') ?? '';
  expect(value).toMatch(/^\d+$/);
  return Number(value);
}
