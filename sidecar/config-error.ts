/** A setting that can't be used. The message names the variable and what it expects, never the value of a secret. */
export class ConfigError extends Error {
  readonly code = 'invalid_config';

  constructor(problems: readonly string[]) {
    super(`The settings can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}
