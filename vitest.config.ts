import { defineConfig } from 'vitest/config';

// Node loads the test files and the product itself (types stripped, no bundler in between): worker threads
// import the same .ts modules natively, and the text of a user's function must be the same in both.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/property-runs.setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    isolate: true,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
    globals: false,
    passWithNoTests: false,
    allowOnly: !process.env['CI'],
    experimental: { viteModuleRunner: false, nodeLoader: false },
  },
});
