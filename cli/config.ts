/** What the command line tools read from the environment. The only place that does. */
export interface CliConfig {
  databaseUrl: string;
  /** Colours, unless the user or the terminal says no (no-color.org). */
  colour: boolean;
}

/** Where `make dev` keeps its ledger. */
const DEVELOPMENT = 'sqlite://.dev/ledger.sqlite';

export function readConfig(env: NodeJS.ProcessEnv, terminal: boolean): CliConfig {
  return {
    databaseUrl: env.DATABASE_URL || DEVELOPMENT,
    colour: terminal && !env.NO_COLOR && env.TERM !== 'dumb',
  };
}
