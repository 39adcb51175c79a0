import { defineConfig } from 'vitest/config';
import { reporters } from './vitest.reporters.ts';

export default defineConfig({
  test: {
    include: ['{ledger,pricing,cashu,sidecar,sqlite-dev,cli,tests}/**/*.test.ts'],
    exclude: ['tests/mints/**', 'tests/model/**'],
    pool: 'forks',
    // Most tests wait for processes of their own: a core left idle for vitest itself (its default) only adds to that.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    ...reporters('test'),
  },
});
