import type { Fault } from './fault.ts';

/** The same object with the usage in it as the fault wants it, wherever this API keeps it. */
export function distortUsage(body: object, kind: Fault['usage']): object {
  if (kind === undefined) return body;
  const copy = { ...body } as Record<string, unknown>;
  if ('usage' in copy) {
    if (kind === 'none') delete copy.usage;
    else copy.usage = kind === 'null' ? null : distortCounts(copy.usage, kind);
  }
  for (const nested of ['response', 'message']) {
    const inner = copy[nested];
    if (typeof inner === 'object' && inner !== null) copy[nested] = distortUsage(inner, kind);
  }
  return copy;
}

function distortCounts(value: unknown, kind: Exclude<Fault['usage'], undefined>): unknown {
  if (typeof value === 'number') return distortCount(value, kind);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, distortCounts(inner, kind)]));
}

function distortCount(count: number, kind: string): unknown {
  switch (kind) {
    case 'negative':
      return -count - 1;
    case 'float':
      return count + 0.5;
    case 'string':
      return String(count);
    case 'huge':
      return 1e21;
    default:
      return 0;
  }
}
