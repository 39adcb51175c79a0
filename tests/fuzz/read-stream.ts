/** One event of a stream, as any client reads it. */
export interface Event {
  /** As sent, without its line ends. */
  lines: string[];
  /** Its data lines, joined; undefined for comments and the like. */
  data: string | undefined;
  /** Its data as JSON, if it is some. */
  json: unknown;
}

/** Events of a stream by the standard (WHATWG HTML, 9.2.6), written apart from the meter. What is not ended counts too. */
export function readStream(bytes: Buffer): Event[] {
  const events: Event[] = [];
  let lines: string[] = [];
  const finish = () => {
    if (lines.length > 0) events.push(eventOf(lines));
    lines = [];
  };
  // Bytes, not characters: bad UTF-8 has to come out as it came in.
  for (const line of bytes.toString('latin1').split(/\r\n|\n|\r/)) {
    if (line === '') finish();
    else lines.push(line);
  }
  finish();
  return events;
}

function eventOf(lines: string[]): Event {
  const datas = lines.flatMap((line) => {
    const field = /^(?:\xef\xbb\xbf)?data(?::|$)/.exec(line);
    return field ? [line.slice(field[0].length).replace(/^ /, '')] : [];
  });
  if (datas.length === 0) return { lines, data: undefined, json: undefined };
  const data = datas.join('\n');
  try {
    return { lines, data, json: JSON.parse(Buffer.from(data, 'latin1').toString()) };
  } catch {
    return { lines, data, json: undefined };
  }
}

/** Comments, fields without data, and pings: they may overtake what waits for its cost. */
export function isAside({ data, json }: Event): boolean {
  return data === undefined || (json as { type?: unknown } | null | undefined)?.type === 'ping';
}
