import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.ts';

export default defineConfig({
  test: {
    include: ['{ledger,pricing,cashu,sidecar,sqlite-dev,cli,tests}/**/*.test.ts'],
    exclude: ['tests/mints/**', 'tests/model/**'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    ...reporters('test'),
  },
});
