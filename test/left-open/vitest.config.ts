import { defineConfig } from 'vitest/config';

/** Runs the files of this folder, some of which leave a connection open, as the suite runs its own. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['*.fixture.ts'],
    setupFiles: ['../fail-on-open-connections.ts'],
    pool: 'forks',
    // Each of the files that fail waits until its time is over.
    maxWorkers: 4,
  },
});
