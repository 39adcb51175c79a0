import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account } from '../support/books.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

async function metrics(): Promise<string> {
  const answer = await ask(`${stack.admin}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  return answer.text;
}

test('it lives, and is ready once its model answers', async () => {
  expect((await ask(`${stack.admin}/livez`)).status).toBe(200);
  await eventually(async () => expect((await ask(`${stack.admin}/readyz`)).status).toBe(200));
  const ready = await ask(`${stack.admin}/readyz`);
  expect(ready.json()).toMatchObject({ ready: true, draining: false, upstream: true, ledger: true });
});

test('metrics tell what was answered, charged and redeemed', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  for (const stream of [false, true]) {
    await ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, { stream }) });
  }
  await ask(`${stack.url}/v1/chat/completions`, { body: chat() });
  await ask(`${stack.url}/v1/nothing/${'x'.repeat(50)}`);
  stack.model.fault('reset=before', 1);
  await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  await eventually(async () => {
    const lines = (await metrics()).split('\n');
    expect(lines).toContain('routstr_requests_total{endpoint="/v1/chat/completions",status="200"} 2');
    expect(lines).toContain('routstr_requests_total{endpoint="/v1/chat/completions",status="402"} 1');
    expect(lines).toContain('routstr_requests_total{endpoint="/v1/chat/completions",status="424"} 1');
    expect(lines).toContain('routstr_requests_total{endpoint="none",status="404"} 1');
    expect(lines).toContain(
      'routstr_charged_msat_total{endpoint="/v1/chat/completions",estimated="false"} 36',
    );
    expect(lines).toContain('routstr_redeemed_msat_total 63000');
    expect(lines).toContain('routstr_upstream_failures_total{kind="reset"} 1');
    expect(lines).toContain('routstr_requests_in_flight 0');
    expect(lines).toContain('routstr_requests_waiting 0');
    expect(lines).toContain('routstr_body_bytes 0');
  });
});

test('running requests show while they run', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  stack.model.fault('slow=400', 1);
  const running = ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  await eventually(async () => expect(await metrics()).toMatch(/^routstr_requests_in_flight 1$/m));
  const answer = await running;
  expect(answer.status).toBe(200);
  const id = answer.headers.get('x-routstr-request-id')!;
  await eventually(() => {
    const line = stack.log.find((text) => text.includes(id));
    expect(JSON.parse(line!)).toMatchObject({ status: 200, path: '/v1/chat/completions' });
    expect(JSON.parse(line!).ms).toBeGreaterThan(0);
  });
  expect(await metrics()).toMatch(/^routstr_requests_in_flight 0$/m);
});

test('nothing is sold on the admin port', async () => {
  for (const path of ['/v1/chat/completions', '/v1/models', '/drain', '/v1/wallet/info']) {
    expect((await ask(stack.admin + path)).status).toBe(404);
  }
});

test('without its model it lives, but is not ready', async () => {
  await stack.model.close();
  await eventually(async () => expect((await ask(`${stack.admin}/readyz`)).status).toBe(503), 20_000);
  expect((await ask(`${stack.admin}/readyz`)).json()).toMatchObject({ ready: false, upstream: false });
  expect((await ask(`${stack.admin}/livez`)).status).toBe(200);
});
