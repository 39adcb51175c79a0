import { mutateBytes } from './byte-mutation.ts';
import type { Random } from './random.ts';

/** JSON as text with a structure: what no parser would keep apart (doubled names, escapes, numbers as written) stays. */
type Node =
  | { kind: 'scalar'; text: string }
  | { kind: 'array'; items: Node[] }
  | { kind: 'object'; members: { name: string; value: Node }[] };

const numbers = [
  ...'0 -0 -1 1 1.5 1e309 -1e309 1e-400 1E2 2147483648 4294967296 9007199254740991 9007199254740993'.split(
    ' ',
  ),
  ...'18446744073709551616 1e21 00 01 0x10 1. .5 +1 NaN Infinity -Infinity 1_000 1e -'.split(' '),
  '9'.repeat(400),
  `0.${'0'.repeat(400)}1`,
];
const strings = [
  ...'"" " " "\\ud800" "\\udc00\\ud800" "\\u0000" "\\" " \'single\' "\\x41" "true" "1" "null" "__proto__" "\\/"'.split(
    ' ',
  ),
  ...['"\u0000"', '"\t"', '"a\nb"', '"\u202e\u200b"', '"😀"', '"\ud83d"', '"file-123"'],
  ...[`"${'ÿ'.repeat(300)}"`, `"${'\\u0041'.repeat(300)}"`],
  ...['"data:image/png;base64,iVBORw0KGgo="', '"http://127.0.0.1:1/x.png"', '"file:///etc/passwd"'],
];
const others = 'null true false True undefined [] {} [[]] [{}] [null] {"a":{}}'.split(' ').concat('');
const longOnes = ['a', '\\u0041', 'ÿ', '\\\\'].map((text) => `"${text.repeat(20_000)}"`);
const depths = [1, 2, 3, 63, 64, 126, 127, 128, 129, 500];
const bottomless = 20_000;
/** How often an input is a large one. They cost a hundred times as much. */
const large = 0.01;

/** Members that change what a request costs, or that an engine may understand in its own way. */
const names = [
  ...'model max_tokens max_completion_tokens max_output_tokens n_predict max_new_tokens n best_of n_cmpl'.split(
    ' ',
  ),
  ...'stream stream_options messages prompt input system instructions tools store background audio'.split(
    ' ',
  ),
  ...'previous_response_id conversation modalities models service_tier prompt_embeds speed'.split(' '),
  ...'web_search_options response_format stream_format query documents image content role type text'.split(
    ' ',
  ),
  ...'image_url file_id __proto__ constructor toString hasOwnProperty Model MAX_TOKENS ſtream toKens'.split(
    ' ',
  ),
  ...'cashu_token initial_balance_token count balance_limit validity_date lightning_address'.split(' '),
  ...['', ' model', 'model ', 'n\u0000'],
];

/** A valid JSON text, changed in one to four places: grammar first, then sometimes bytes. */
export function mutateJson(text: string, random: Random): Buffer {
  const root = toNode(JSON.parse(text));
  const changes = random.pick([0, 1, 1, 1, 2, 2, 3, 4]);
  for (let n = 0; n < changes; n++) change(root, random);
  const written = Buffer.from(write(root, random), 'utf8');
  return random.chance(0.2) ? mutateBytes(written, random) : written;
}

function change(root: Node, random: Random): void {
  const all = nodes(root);
  const node = random.pick(all);
  const objects = all.filter((one) => one.kind === 'object');
  const object = objects.length > 0 ? random.pick(objects) : undefined;
  const member = object && object.members.length > 0 ? random.pick(object.members) : undefined;
  switch (random.int(9)) {
    case 0:
      replace(node, scalar(random));
      break;
    case 1:
      replace(node, copy(random.pick(all)));
      break;
    case 2:
      replace(node, nested(node, random));
      break;
    case 3:
      object?.members.push({
        name: spelled(random.pick(names), random),
        value: { kind: 'scalar', text: scalar(random).text },
      });
      break;
    case 4:
      if (object && member)
        object.members.splice(random.int(object.members.length + 1), 0, doubled(member, random));
      break;
    case 5:
      if (member) member.name = spelled(member.name, random);
      break;
    case 6:
      if (object && member) object.members.splice(object.members.indexOf(member), 1);
      break;
    case 7:
      grow(node, random);
      break;
    default:
      if (member) member.value = scalar(random);
  }
}

function scalar(random: Random): Extract<Node, { kind: 'scalar' }> {
  const list = random.chance(large) ? longOnes : random.pick([numbers, numbers, strings, others]);
  return { kind: 'scalar', text: random.pick(list) };
}

function doubled(member: { name: string; value: Node }, random: Random): { name: string; value: Node } {
  const name = random.chance(0.5) ? member.name : spelled(member.name, random);
  return { name, value: random.chance(0.5) ? copy(member.value) : scalar(random) };
}

/** A name that some reader takes for the same one. */
function spelled(name: string, random: Random): string {
  switch (random.int(6)) {
    case 0:
      return name.toUpperCase();
    case 1:
      return name.charAt(0).toUpperCase() + name.slice(1);
    case 2:
      return name.replace('s', 'ſ').replace('k', '\u212a');
    case 3:
      return `${name}${random.pick([' ', '\u0000', '\ufeff', '.'])}`;
    default:
      return name;
  }
}

/** As text: a tree this deep is more than recursion over it survives. */
function nested(node: Node, random: Random): Node {
  const times = random.chance(large) ? bottomless : random.pick(depths);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ]) as [string, string];
  return { kind: 'scalar', text: open.repeat(times) + write(node, random) + close.repeat(times) };
}

/** The same many times over, up to some 30 KB: wide objects and long lists. */
function grow(node: Node, random: Random): void {
  const times = random.chance(large) ? 2000 : random.pick([2, 10, 30]);
  const count = Math.min(times, Math.ceil(30_000 / Math.max(1, write(node, random).length)));
  if (node.kind === 'array' && node.items.length > 0) {
    for (let n = 0; n < count; n++) node.items.push(node.items[n % node.items.length]!);
  } else if (node.kind === 'object') {
    for (let n = 0; n < count; n++)
      node.members.push({ name: `m${n}`, value: { kind: 'scalar', text: '1' } });
  }
}

function replace(node: Node, by: Node): void {
  for (const key of Object.keys(node)) delete (node as Record<string, unknown>)[key];
  Object.assign(node, by);
}

function copy(node: Node): Node {
  switch (node.kind) {
    case 'scalar':
      return { ...node };
    case 'array':
      return { kind: 'array', items: node.items.map(copy) };
    case 'object':
      return {
        kind: 'object',
        members: node.members.map(({ name, value }) => ({ name, value: copy(value) })),
      };
  }
}

function nodes(root: Node): Node[] {
  const all: Node[] = [];
  const open: Node[] = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    all.push(node);
    if (all.length > 500) return all;
    if (node.kind === 'array') open.push(...node.items);
    else if (node.kind === 'object') open.push(...node.members.map(({ value }) => value));
  }
  return all;
}

function toNode(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(toNode) };
  if (typeof value !== 'object' || value === null) return { kind: 'scalar', text: JSON.stringify(value) };
  const members = Object.entries(value).map(([name, member]) => ({ name, value: toNode(member) }));
  return { kind: 'object', members };
}

function write(node: Node, random: Random): string {
  const space = random.chance(0.03) ? random.pick([' ', '\n', '\t', '\r\n', '\u00a0', '\v']) : '';
  switch (node.kind) {
    case 'scalar':
      return node.text;
    case 'array':
      return `[${space}${node.items.map((item) => write(item, random)).join(`,${space}`)}]`;
    case 'object': {
      const members = node.members.map(
        ({ name, value }) => `${quoted(name, random)}:${space}${write(value, random)}`,
      );
      return `{${members.join(`,${space}`)}${space}}`;
    }
  }
}

function quoted(name: string, random: Random): string {
  if (name === '' || !random.chance(0.05) || /["\\\p{Cc}]/u.test(name)) return JSON.stringify(name);
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${name.replace(/[\x20-\x7e]/g, (sign) => (random.chance(0.3) ? escaped(sign) : sign))}"`;
}
