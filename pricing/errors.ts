/** A message stays readable in a log; `problems` has them all. */
const MAX_LINES = 50;

/** What is wrong with a catalogue, and where: `path` is a JSON path such as `$.models[3].pricing.prompt`. */
export interface Problem {
  path: string;
  message: string;
}

/** A decimal that is no price: not a number, negative, too large, or finer than can be kept exactly. */
export class DecimalError extends Error {
  readonly code = 'invalid_decimal';

  constructor(message: string) {
    super(message);
    this.name = 'DecimalError';
  }
}

/** A catalogue that must not be sold from. Lists everything that has to be put right, so that one look is enough. */
export class CatalogueError extends Error {
  readonly code = 'invalid_catalogue';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.slice(0, MAX_LINES).map(({ path, message }) => `${path}: ${message}`);
    if (problems.length > MAX_LINES) lines.push(`and ${problems.length - MAX_LINES} more`);
    super(lines.join('\n'));
    this.name = 'CatalogueError';
    this.problems = problems;
  }
}

/** There is no usable BTC price, and the model's price is in USD: answer 503 and charge nothing. */
export class PriceUnavailableError extends Error {
  readonly code = 'price_unavailable';

  constructor() {
    super('The price of Bitcoin is not known at the moment; try again in a minute');
    this.name = 'PriceUnavailableError';
  }
}
