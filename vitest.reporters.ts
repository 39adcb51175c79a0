/** What a person reads, and for `VITEST_REPORT_DIR` a JSON report a tier, that a script can add up. */
export function reporters(tier: string) {
  const directory = process.env.VITEST_REPORT_DIR;
  return directory
    ? { reporters: ['default', 'json'], outputFile: { json: `${directory}/${tier}.json` } }
    : { reporters: ['default'] };
}
