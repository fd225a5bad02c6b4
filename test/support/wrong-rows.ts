import { readTables, type RunSql } from '../../packages/store/test/support/read-tables.ts';
import { differencesOf, differenceText } from './compare-tables.ts';
import { doubledRows, REPEATED, type Doubled } from './count-effects.ts';
import { ledgerId, referenceFold } from './reference-fold.ts';
import type { ToldEvent } from './described-event.ts';

/** What had more effects than the events tell of; `countEffects` must have been called before. */
export async function doubledAmong(events: readonly ToldEvent[], sql: RunSql): Promise<Doubled[]> {
  const doubled = doubledRows(await sql(REPEATED));
  doubled.add(events);
  return doubled.rest();
}

/** A line for each row, in any table, that is not with every column what the events tell of. */
export async function wrongRows(events: readonly ToldEvent[], sql: RunSql): Promise<string[]> {
  const received = receivedEvents(events, await sql(RECEIVED));
  return differencesOf(referenceFold(received), await readTables({ sql })).map(differenceText);
}

/** Asks the ledger when it received each event: `id`, and `at` in unix milliseconds. */
export const RECEIVED =
  'SELECT id, outcome, round(extract(epoch FROM received_at) * 1000)::float8 AS at FROM webhook_events';

/**
 * Those events that the ledger has and did not make dead letters, each as it was received: what happened at one time may be told apart
 * by that.
 *
 * @param ledger  What `RECEIVED` answers.
 */
export function receivedEvents(
  events: readonly ToldEvent[],
  ledger: readonly Record<string, unknown>[],
): (ToldEvent & { receivedAt: number })[] {
  const times = new Map(
    ledger.flatMap(({ id, outcome, at }) => (outcome === 'dead' ? [] : [[id, Number(at)] as const])),
  );
  return events.flatMap((event) => {
    const receivedAt = times.get(ledgerId(event.body));
    return receivedAt === undefined ? [] : [{ ...event, receivedAt }];
  });
}
