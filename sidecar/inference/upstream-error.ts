import { HttpError } from '../errors.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { upstreamFailed } from '../upstream/upstream.ts';

/** What a client can mend itself: the model's own word on it is passed on. Any other status is the provider's trouble. */
const clientsFault = new Set([400, 404, 405, 409, 413, 415, 422]);
const largestText = 64 * 1024;

/** The answer to a request that the model refused. Nothing was delivered, so nothing is charged. */
export async function upstreamError(answer: UpstreamAnswer): Promise<HttpError> {
  if (!clientsFault.has(answer.status)) {
    answer.flow.abort();
    const retryAfter = answer.headers['retry-after'];
    return upstreamFailed(answer.status, retryAfter === undefined ? {} : { retryAfter });
  }
  const said = read(await text(answer));
  return new HttpError('upstream_rejected', {
    status: answer.status,
    ...(said.message !== undefined && { message: said.message }),
    headers: { 'x-routstr-error-scope': 'upstream' },
    fields: { ...said.fields, upstream_status: answer.status },
  });
}

function text(answer: UpstreamAnswer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const done = () => resolve(Buffer.concat(chunks).toString('utf8'));
    answer.consume({
      data(chunk) {
        length += chunk.length;
        if (length <= largestText) chunks.push(chunk);
        else {
          answer.flow.abort();
          done();
        }
      },
      end: done,
      failed: done,
    });
  });
}

/** OpenAI's error object, or FastAPI's `detail`. Its type and code go on only where they can't be mistaken for ours. */
function read(body: string): { message?: string; fields: Record<string, unknown> } {
  try {
    const json = JSON.parse(body);
    const error = json?.error ?? json;
    const message = [error?.message, json?.detail, json?.error].find((value) => typeof value === 'string');
    const fields: Record<string, unknown> = {};
    if (typeof error?.param === 'string') fields.param = error.param.slice(0, 200);
    if (typeof error?.code === 'string') fields.upstream_code = error.code.slice(0, 100);
    return { ...(message !== undefined && { message: message.slice(0, 2000) }), fields };
  } catch {
    return { fields: {} };
  }
}
