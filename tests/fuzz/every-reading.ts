/**
 * The members at the top of a JSON object in the order they stand, doubled ones included: an upstream may take the first,
 * the last, or one in another spelling. Written apart from the sidecar's scanner, to be compared with it.
 */
export function topMembers(json: string): { name: string; value: unknown }[] {
  const members: { name: string; value: unknown }[] = [];
  let depth = 0;
  let start = json.indexOf('{') + 1;
  for (let at = start - 1; at < json.length; at++) {
    const sign = json[at];
    if (sign === '"') at = endOfString(json, at);
    else if (sign === '{' || sign === '[') depth++;
    else if (sign === '}' || sign === ']') depth--;
    if ((sign === ',' && depth === 1) || depth === 0) {
      const text = json.slice(start, at);
      if (text.trim() !== '')
        members.push(...Object.entries(JSON.parse(`{${text}}`)).map(([name, value]) => ({ name, value })));
      start = at + 1;
      if (depth === 0) break;
    }
  }
  return members;
}

/** Go's way of matching names: case aside, by Unicode's simple folding (ſ is s, the Kelvin sign is k). */
export function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function endOfString(json: string, open: number): number {
  let at = open + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
