import { type DestinationStream, type Logger, pino } from 'pino';

/** Where a credential could stand in what is logged. */
const secretPaths = ['authorization', 'x-cashu', 'x-api-key', 'cookie', 'token', 'key', 'api_key'].flatMap(
  (name) => [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`],
);

/** Credentials as they look anywhere in a text: an error's message may quote one. */
const secretText = /\b(sk-)[0-9a-f]{64}\b|\b(cashu[AB])[A-Za-z0-9_\-+/=]{16,}/g;

/**
 * JSON lines. No credential gets into one, neither as a field nor inside a text. They are written some at a time, a tenth
 * of a second late at most: a system call a line would cost a busy server more than all the rest of it.
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
      hooks: {
        streamWrite: (line) => line.replace(secretText, '$1$2[redacted]'),
      },
    },
    destination ?? pino.destination({ dest: 1, sync: false, minLength: 8192, periodicFlush: 100 }),
  );
}
