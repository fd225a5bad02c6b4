import { runSql } from '../../test/support/run-sql.ts';

/** The events that a contender got, and the number that it has left. */
export interface Given {
  name: string;
  databaseUrl: string;
  /** Ledger ids of all queued events, each once. */
  ids: readonly string[];
  /** The number of events that wait. */
  pending: number;
}

/**
 * Checks that the ledger has every queued event once, as applied, or that the event still waits. The ledger must have no other event.
 *
 * @throws With the numbers of events that are lost, unknown or not applied.
 */
export async function checkApplied({ name, databaseUrl, ids, pending }: Given): Promise<{ applied: number }> {
  const [row] = await runSql<{ rows: number; known: number; applied: number }>(
    databaseUrl,
    `SELECT count(*)::int AS rows, count(DISTINCT q.id)::int AS known,
       count(*) FILTER (WHERE e.outcome = 'applied')::int AS applied
     FROM webhook_events AS e LEFT JOIN unnest($1::uuid[]) AS q (id) USING (id)`,
    [ids],
  );
  const { rows = 0, known = 0, applied = 0 } = row ?? {};
  const faults = [
    [ids.length - applied - pending, 'lost'],
    [rows - known, 'in the ledger that were never queued, or twice'],
    [rows - applied, 'in the ledger but not applied'],
  ] as const;
  const found = faults.filter(([events]) => events > 0).map(([events, fault]) => `${events} events ${fault}`);
  if (found.length > 0) throw new Error(`${name} is wrong: ${found.join(', ')}.`);
  return { applied };
}

/** Counts the events in the ledger. */
export async function ledgerCount(databaseUrl: string): Promise<number> {
  const [row] = await runSql<{ rows: number }>(databaseUrl, 'SELECT count(*)::int AS rows FROM webhook_events');
  return row?.rows ?? 0;
}
