import assert from 'node:assert/strict';

/** Every status that docs name. 500 is none of them. */
const documented = new Set([
  ...[200, 204, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 417, 422, 424, 425, 429, 431, 503],
]);

/** What any answer must be: a documented status and, for an error, the one shape with a code and a text. */
export function assertAnswer(status: number, type: string, body: Buffer): void {
  assert.ok(documented.has(status), `status ${status}: ${body.toString('latin1').slice(0, 500)}`);
  if (status < 400) return;
  assert.match(type, /^application\/json/, `a ${status} as "${type}"`);
  const { error, detail, request_id } = JSON.parse(body.toString()) as Record<string, unknown>;
  const { code, message, type: kind } = error as Record<string, unknown>;
  assert.match(String(code), /^[A-Za-z_]+$/);
  assert.notEqual(code, 'internal');
  assert.ok(typeof message === 'string' && message.length > 3, `${code} says nothing`);
  assert.equal(typeof kind, 'string');
  assert.deepEqual((detail as { error: unknown }).error, error);
  assert.match(String(request_id), /^[0-9a-f-]{36}$/);
}
