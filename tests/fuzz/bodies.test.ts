import { expect, test } from 'vitest';
import type { ApiFamily } from '../../sidecar/body/api-family.ts';
import { readRequest } from '../../sidecar/body/read-request.ts';
import { RequestError } from '../../sidecar/body/request-error.ts';
import type { RequestFacts } from '../../sidecar/body/request-facts.ts';
import { rewriteRequest } from '../../sidecar/body/rewrite-request.ts';
import { folded, topMembers } from './every-reading.ts';
import { mutateForm, validForms } from './form-mutation.ts';
import { mutateJson } from './json-mutation.ts';
import { patience, runs } from './runs.ts';
import { shrink, throws } from './shrink.ts';
import { inferenceRequests } from './valid-requests.ts';

const spliced = 100;
const limits = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict', 'max_new_tokens'];
const priced = [...limits, 'model', 'n', 'best_of', 'n_cmpl', 'stream', 'stream_options', 'store'];
const completing: readonly ApiFamily[] = ['chat', 'completions', 'responses', 'messages'];

/** Facts, or undefined for a body that was refused the way a client can understand. */
function read(path: string, type: string, body: Buffer): RequestFacts | undefined {
  try {
    return readRequest(path, type, body);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    expect(error.code).toMatch(/^invalid_(?:json|request)$/);
    expect(error.message).not.toBe('');
    return undefined;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

test(
  'a JSON body is refused, or goes upstream with nothing in it that could be read at another price',
  () => {
    const { count, random, replay } = runs('JSON bodies', 0.3);
    let accepted = 0;
    for (let n = 0; n < count; n++) {
      const dice = random(n);
      const request = dice.pick(inferenceRequests);
      const body = mutateJson(request.body, dice);
      const options = { includeUsage: true, continuousUsage: dice.chance(0.5), maxTokens: spliced };
      const check = (bytes: Buffer): boolean => {
        const facts = read(request.path, 'application/json', bytes);
        if (facts) checkForwarded(facts, Buffer.concat(rewriteRequest(bytes, facts, options)).toString());
        return facts !== undefined;
      };
      try {
        if (check(body)) accepted++;
      } catch (error) {
        const least = shrink(body, (smaller) => throws(() => check(smaller)));
        throw new Error(replay(n, `${request.path} ${least.toString()}`), { cause: error });
      }
    }
    // Else the fuzzer only ever sees the door.
    expect(accepted).toBeGreaterThan(count / 20);
    expect(accepted).toBeLessThan(count);
  },
  patience,
);

function checkForwarded(facts: RequestFacts, forwarded: string): void {
  const { family } = facts;
  const members = topMembers(forwarded);
  const onlyOne = (name: string): unknown => {
    const spellings = members.filter((member) => folded(member.name) === name);
    if (spellings.length > 1) throw new Error(`"${name}" can be read in ${spellings.length} ways`);
    return spellings[0]?.value ?? undefined;
  };
  const values = Object.fromEntries(priced.map((name) => [name, onlyOne(name)]));
  const { input } = JSON.parse(forwarded) as { input?: { model?: unknown } };
  const bound = facts.maxTokens ?? spliced;

  expect(values.model ?? input?.model).toBe(facts.model);
  if (family !== 'audio_speech') expect(values.stream ?? false).toBe(facts.stream);
  expect([facts.copies, facts.estimateInput, facts.images, facts.audioSeconds].every(isCount)).toBe(true);
  expect(facts.copies).toBeGreaterThanOrEqual(
    Math.max(...['n', 'best_of', 'n_cmpl'].map((name) => Number(values[name] ?? 1))),
  );
  for (const name of limits) if (values[name] !== undefined) expect(values[name]).toBeLessThanOrEqual(bound);
  if (completing.includes(family)) {
    const obeyed = family === 'responses' ? 'max_output_tokens' : 'max_tokens';
    expect(values[obeyed]).toBeTypeOf('number');
  }
  if (facts.stream && (family === 'chat' || family === 'completions')) {
    expect(values.stream_options).toMatchObject({ include_usage: true });
  }
  if (family === 'responses') expect(values.store).toBe(false);
}

test(
  'a form is refused, or has one model that any reader of forms finds',
  async () => {
    const { count, random, replay } = runs('forms', 0.05);
    let accepted = 0;
    let agreed = 0;
    for (let n = 0; n < count; n++) {
      const dice = random(n);
      const { path, type, body } = mutateForm(dice.pick(validForms), dice);
      try {
        const facts = read(path, type, body);
        if (facts === undefined) continue;
        accepted++;
        expect([facts.copies, facts.estimateInput, facts.images, facts.audioSeconds].every(isCount)).toBe(
          true,
        );
        const response = new Response(new Uint8Array(body), { headers: { 'content-type': type } });
        const form = await response.formData().catch(() => undefined);
        // A reader that refuses it costs nobody anything; one that reads something else would.
        if (form === undefined) continue;
        agreed++;
        expect(form.getAll('model')).toEqual([facts.model]);
        expect(form.getAll('n').map(Number)).toEqual(form.has('n') ? [facts.copies] : []);
        expect(form.get('stream') ?? 'false').toMatch(new RegExp(`^${facts.stream}$`, 'i'));
      } catch (error) {
        throw new Error(replay(n, `${type}\n${body.toString('latin1')}`), { cause: error });
      }
    }
    expect(agreed).toBeGreaterThan(count / 20);
    expect(accepted).toBeLessThan(count);
  },
  patience,
);
