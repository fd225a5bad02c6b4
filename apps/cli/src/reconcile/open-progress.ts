import { openReconcileReader, type Operation } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { findOwnDatabase } from '../find-database.ts';
import { describeProgress } from '../operations/describe-operation.ts';
import type { Environment } from '../start/env-file.ts';

/** Says how far a comparison is. */
export interface ComparisonProgress {
  describe: (operation: Operation) => Promise<string>;
  close: () => Promise<void>;
}

/** Opens what says how far a comparison is: its row has how many calls it has listed. It connects with the first question. */
export async function openProgress(env: Environment, { root }: CommandContext): Promise<ComparisonProgress> {
  const { databaseUrl } = await findOwnDatabase(root, env);
  const reader = openReconcileReader({ databaseUrl });
  return {
    describe: async (operation) => {
      const run = await reader.run(operation.id).catch(() => undefined);
      return describeProgress(operation, run?.listed);
    },
    close: () => reader.close(),
  };
}
