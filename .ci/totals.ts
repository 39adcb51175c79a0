import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Adds up the JSON reports of all tiers. A tier that failed without a failed test counts as one. */
const [directory = '.', ...failedTiers] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
let tiersWithFailures = 0;
for (const file of (await readdir(directory)).filter((name) => name.endsWith('.json'))) {
  const report = JSON.parse(await readFile(join(directory, file), 'utf8'));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  if (!report.success) tiersWithFailures += 1;
}
total.failed += Math.max(0, failedTiers.length - tiersWithFailures);
for (const tier of failedTiers) process.stdout.write(`failed: ${tier}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
