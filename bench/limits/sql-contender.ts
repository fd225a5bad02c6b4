import { join } from 'node:path';
import { get } from '../../test/support/post.ts';
import { ROOT } from '../../test/support/root.ts';
import type { Applier } from '../contender.ts';
import { limitStateSchema, type LimitLoad, type LimitState } from './sql-batch.ts';

/** The limit of applying. Its events are worked off like a backlog. */
export interface SqlLimit extends Applier {
  /** Asks the program for its state. */
  state: () => Promise<LimitState>;
}

const ANSWER_LIMIT_MS = 5_000;

/** Makes the contender that runs bench/limits/sql-limit.ts on a load. */
export function sqlLimit(load: LimitLoad): SqlLimit {
  let listensOn = 0;
  const state = async (): Promise<LimitState> => {
    // Before the program listens, and while it makes its events, it has applied none of them.
    const atFirst = { pending: load.count * load.batches.length, rates: [] };
    if (listensOn === 0) return atFirst;
    const answer = await get(`http://127.0.0.1:${listensOn}/`, { limitMs: ANSWER_LIMIT_MS }).catch(() => undefined);
    return answer ? limitStateSchema.parse(JSON.parse(answer.body)) : atFirst;
  };
  return {
    name: 'sql-limit',
    state,
    pending: async () => (await state()).pending,
    worker: ({ databaseUrl }, port) => {
      listensOn = port;
      // All of its events lie in memory.
      const memory = { NODE_OPTIONS: '--max-old-space-size=6144' };
      const env = { PORT: String(port), DATABASE_URL: databaseUrl, LOAD: JSON.stringify(load), ...memory };
      return { script: join(ROOT, 'bench', 'dist', 'bench', 'limits', 'sql-limit.js'), env };
    },
  };
}
