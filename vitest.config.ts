import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests run on the sources: each package names them under the condition `source`.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['{apps,packages}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/fail-on-open-connections.ts'],
    pool: 'forks',
    maxWorkers: 3,
    // For what hangs: a test has several waits of 20 s and more, of which each may be long on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
  },
});
