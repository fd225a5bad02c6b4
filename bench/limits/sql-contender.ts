import { fileURLToPath } from 'node:url';
import type { EventKind } from '../load/signed-events.ts';
import type { Applier } from '../measure/backlog.ts';
import { limitStateSchema, type Batch, type LimitState } from './sql-batch.ts';

/** What sql-limit applies. */
export interface LimitLoad {
  kind: EventKind;
  /** A word that no other run has. */
  run: string;
  /** Events for each batch. */
  count: number;
  batches: readonly Batch[];
}

/** The limit of applying, to be worked off like a backlog. */
export interface SqlLimit extends Applier {
  /** What it says of itself while it runs. */
  state: () => Promise<LimitState>;
}

const ANSWER_LIMIT_MS = 5_000;

/** The program bench/limits/sql-limit.ts, with events of its own making. */
export function sqlLimit({ kind, run, count, batches }: LimitLoad): SqlLimit {
  let listensOn = 0;
  const state = async (): Promise<LimitState> => {
    // Until it listens, and while it makes its events, nothing of them is applied.
    if (listensOn === 0) return { pending: count * batches.length, rates: [] };
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const answer = await fetch(`http://127.0.0.1:${listensOn}/`, { signal }).catch(() => undefined);
    if (!answer) return { pending: count * batches.length, rates: [] };
    return limitStateSchema.parse(await answer.json());
  };
  return {
    name: 'sql-limit',
    state,
    pending: async () => (await state()).pending,
    worker: ({ databaseUrl }, port) => {
      listensOn = port;
      return {
        script: fileURLToPath(new URL('./sql-limit.js', import.meta.url)),
        env: {
          PORT: String(port),
          DATABASE_URL: databaseUrl,
          KIND: kind,
          RUN: run,
          COUNT: String(count),
          BATCHES: JSON.stringify(batches),
          // Its events lie in memory, all of them.
          NODE_OPTIONS: '--max-old-space-size=6144',
        },
      };
    },
  };
}
