import { styleText } from 'node:util';
import type { Endpoints } from './endpoints.ts';

/** What example.ts takes when nothing else is said. */
const example = { base: 'http://127.0.0.1:8402/v1', model: 'stub-chat' };

/** What a person sees once everything is ready: where things are, and commands to paste. Coloured on a terminal only. */
export function banner(endpoints: Endpoints, model: string, token: string | Error, folder: string): string {
  const paint = (style: 'bold' | 'cyan' | 'dim' | 'yellow', text: string) =>
    styleText(style, text, { stream: process.stdout });
  const bearer = typeof token === 'string' ? token : '$CASHU_TOKEN';
  const base = `${endpoints.sidecar.url}/v1`;
  const body = JSON.stringify({
    model,
    stream: true,
    max_tokens: 200,
    messages: [{ role: 'user', content: 'Say hello.' }],
  });
  const sdk = [
    `CASHU_TOKEN=${bearer}`,
    ...(base === example.base ? [] : [`BASE_URL=${base}`]),
    ...(model === example.model ? [] : [`MODEL=${model}`]),
    'npx node example.ts',
  ].join(' ');
  return [
    paint('bold', 'Ready'),
    `  sidecar  ${base}`,
    `  mint     ${endpoints.mint.url}`,
    `  model    ${endpoints.model.url}`,
    `  ledger   ${endpoints.database}`,
    paint('dim', `  logs     ${folder}/*.log`),
    '',
    ...(typeof token === 'string'
      ? []
      : [paint('yellow', token.message), 'Then: export CASHU_TOKEN=cashuB…', '']),
    paint('bold', 'A paid request:'),
    '',
    paint('cyan', `curl -N ${base}/chat/completions \\`),
    paint('cyan', `  -H ${quote(`Authorization: Bearer ${bearer}`, typeof token === 'string')} \\`),
    paint('cyan', `  -H 'Content-Type: application/json' \\`),
    paint('cyan', `  -d '${body}'`),
    '',
    paint('bold', 'The same with the OpenAI SDK:'),
    '',
    paint('cyan', sdk),
    '',
    paint('dim', 'More money: make token AMOUNT=1000   The books: make audit   Stop: Ctrl-C'),
    '',
  ].join('\n');
}

/** Double quotes leave a variable to the shell. */
function quote(text: string, literal: boolean): string {
  return literal ? `'${text}'` : `"${text}"`;
}
