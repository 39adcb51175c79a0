import type { MemoryShare } from '../admission/memory-budget.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { upstreamFailed } from '../upstream/upstream.ts';

/**
 * A whole answer, in memory: its cost stands in its headers, so the last byte must be here before the first one leaves.
 * @throws UpstreamFailure, HttpError when it is larger than `limit` or than there is memory for
 */
export function collect(answer: UpstreamAnswer, limit: number, memory: MemoryShare): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    answer.consume({
      data(chunk) {
        length += chunk.length;
        try {
          if (length > limit)
            throw upstreamFailed(answer.status, { message: 'The model’s answer is too large' });
          memory.add(chunk.length);
          chunks.push(chunk);
        } catch (error) {
          // First why, then the end: an answer that we gave up has failed as well.
          reject(error);
          answer.flow.abort();
        }
      },
      end: () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)),
      failed: reject,
    });
  });
}
