import { defineConfig } from 'vitest/config';
import { reporters } from '../../vitest.reporters.ts';

/** Against real mints: `CASHU_MINT_URLS`, comma-separated. They must pay their own invoices. */
export default defineConfig({
  test: {
    include: ['tests/mints/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...reporters('mints'),
  },
});
