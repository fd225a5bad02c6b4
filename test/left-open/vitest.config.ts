import { defineConfig } from 'vitest/config';

/** Runs the files of this folder as the suite runs its own. Some of these files leave a connection open. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['*.fixture.ts'],
    setupFiles: ['../fail-on-open-connections.ts'],
    pool: 'forks',
    // Each file that fails waits until its time limit is over.
    maxWorkers: 4,
  },
});
