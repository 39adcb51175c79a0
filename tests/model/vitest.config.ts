import { defineConfig } from 'vitest/config';
import { reporters } from '../../vitest.reporters.ts';

/** Against a real model: `LLM_URL`, an OpenAI-compatible server, with its /v1. */
export default defineConfig({
  test: {
    include: ['tests/model/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 180_000,
    hookTimeout: 60_000,
    ...reporters('model'),
  },
});
