import { readTables, type RunSql } from '../../packages/store/test/support/read-tables.ts';
import { differencesOf, differenceText } from './compare-tables.ts';
import { doubledRows, REPEATED, type Doubled } from './count-effects.ts';
import { ledgerId, referenceFold } from './reference-fold.ts';
import type { DescribedEvent } from './described-event.ts';

/** Returns the rows that had more effects than events; `countEffects` must have run before the first event. */
export async function doubledAmong(events: readonly DescribedEvent[], sql: RunSql): Promise<Doubled[]> {
  const doubled = doubledRows(await sql(REPEATED));
  doubled.add(events);
  return doubled.rest();
}

/** Returns a line for each row of any table that differs in a column from the reference's row. */
export async function wrongRows(events: readonly DescribedEvent[], sql: RunSql): Promise<string[]> {
  const received = receivedEvents(events, await sql(RECEIVED));
  return differencesOf(referenceFold(received), await readTables({ sql })).map(differenceText);
}

/** Selects when the ledger received each event: `id`, `outcome`, and `at` in unix milliseconds. */
export const RECEIVED =
  'SELECT id, outcome, round(extract(epoch FROM received_at) * 1000)::float8 AS at FROM webhook_events';

/**
 * Returns the events that the ledger has and that are no dead letters, each with its time of receipt. That time decides
 * between events at one time.
 *
 * @param ledger  The rows of `RECEIVED`.
 */
export function receivedEvents(
  events: readonly DescribedEvent[],
  ledger: readonly Record<string, unknown>[],
): (DescribedEvent & { receivedAt: number })[] {
  const times = new Map(
    ledger.flatMap(({ id, outcome, at }) => (outcome === 'dead' ? [] : [[id, Number(at)] as const])),
  );
  return events.flatMap((event) => {
    const receivedAt = times.get(ledgerId(event.body));
    return receivedAt === undefined ? [] : [{ ...event, receivedAt }];
  });
}
