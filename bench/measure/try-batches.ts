import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '../../apps/cli/src/services/choose-port.ts';
import type { Place } from '../contender.ts';
import type { Batch } from '../limits/sql-batch.ts';
import { sqlLimit } from '../limits/sql-contender.ts';
import type { EventKind } from '../load/signed-events.ts';
import { startWorker } from '../processes.ts';
import { formatNumber } from '../report/format-number.ts';

/** What to try. */
export interface Trial {
  place: Place;
  kind: EventKind;
  /** Events for each batch. */
  count: number;
  batches: readonly Batch[];
  log: (line: string) => void;
}

const LIMIT_MS = 180_000;
const ASK_MS = 100;

/** Finds the batch with which sql-limit is fastest: a limit that is not at its best would flatter whoever stands beside it. */
export async function tryBatches({ place, kind, count, batches, log }: Trial): Promise<Batch> {
  const [only] = batches;
  if (only && batches.length === 1) return only;
  // The first is tried twice: a program that has just started is slow.
  const all = [...batches.slice(0, 1), ...batches];
  const limit = sqlLimit({ kind, run: `trial_${Date.now()}`, count, batches: all });
  const program = await startWorker(limit.worker(place, await choosePort(0)));
  const deadline = performance.now() + LIMIT_MS;
  let { rates } = await limit.state();
  // oxlint-disable no-await-in-loop -- asking again and again is the point
  while (rates.length < all.length) {
    program.usage(); // throws when it has ended
    if (performance.now() > deadline) throw new Error('sql-limit did not end its trial.');
    await wait(ASK_MS);
    ({ rates } = await limit.state());
  }
  await program.stop();
  const tried = all.map((batch, i) => ({ batch, rate: rates[i] ?? 0 })).slice(1);
  const told = tried.map(({ batch, rate }) => `${batch.events} × ${batch.transactions}: ${formatNumber(rate)}/s`);
  log(`sql-limit, events in a transaction × transactions at once: ${told.join(', ')}`);
  return tried.toSorted((a, b) => b.rate - a.rate)[0]?.batch ?? all[0] ?? { events: 1000, transactions: 2 };
}
