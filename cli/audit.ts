import { parseArgs } from 'node:util';
import {
  type AuditReport,
  LedgerOpenError,
  LedgerUnavailableError,
  openLedger,
  systemClock,
} from '../ledger/index.ts';
import { auditScreen } from './audit-screen.ts';
import { readConfig } from './config.ts';

/**
 * `node cli/audit.ts [--json]`: audits the ledger of DATABASE_URL, else that of `make dev`. It only reads, so it may run
 * beside a sidecar. JSON when nobody looks; amounts are strings there, because they may not fit a double.
 *
 * Exit code: 0 the books balance, 1 they do not, 2 the ledger can't be read.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: !process.stdout.isTTY } } });
  const config = readConfig(process.env, process.stdout.isTTY);
  await using ledger = await openLedger(config.databaseUrl, { clock: systemClock, create: false });
  const report = await ledger.audit();
  process.stdout.write(values.json ? `${json(report)}\n` : auditScreen(report, config.colour));
  return report.balanced ? 0 : 1;
}

function json(report: AuditReport): string {
  return JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2);
}

try {
  process.exitCode = await main();
} catch (error) {
  const known =
    error instanceof LedgerOpenError ||
    error instanceof LedgerUnavailableError ||
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  if (!known) throw error;
  process.stderr.write(`audit: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
