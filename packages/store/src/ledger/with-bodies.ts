import type { LedgerEntry } from '@landline/webhook/changes';
import { fromMs, milliseconds, plainArray, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { StoreError } from '../errors.ts';
import type { RecordOptions } from './ledger-statement.ts';

/** Postgres says this of a row that no partition takes, and of one that breaks a CHECK. Its words differ by language, so they tell nothing. */
const CHECK_VIOLATION = '23514';

/** It says this of a body that is there though its event is new to the ledger. */
const UNIQUE_VIOLATION = '23505';

/** How many days ahead there is always a partition: a worker may be without the right to make one for so long. */
const DAYS_AHEAD = 7;

/**
 * Runs `work`, which writes bodies, and runs it a second time where Postgres refuses a body:
 *
 * - for want of a partition: it makes the partitions of these events before;
 * - because it is there already: the second time, `work` expects that.
 *
 * So neither is an event's fault, and neither spends an attempt.
 *
 * @param work  One transaction. It has no effect where it fails.
 * @throws      What `work` throws; StoreError `42501` where this role may not call `landline_make_body_partitions`.
 */
export async function withBodies<T>(
  events: readonly { entry: LedgerEntry }[],
  transactions: Transactions,
  work: (options: RecordOptions) => Promise<T>,
): Promise<T> {
  try {
    return await work({ mayHaveBodies: false });
  } catch (error) {
    const code = error instanceof StoreError ? error.code : undefined;
    if (code !== CHECK_VIOLATION && code !== UNIQUE_VIOLATION) throw error;
    if (code === CHECK_VIOLATION) {
      await makeMissingPartitions(
        events.map(({ entry }) => entry),
        transactions,
      );
    }
    // Also where no partition was missing: another worker may have made it in between. A row that breaks a CHECK fails again.
    return work({ mayHaveBodies: true });
  }
}

async function makeMissingPartitions(entries: readonly LedgerEntry[], transactions: Transactions): Promise<void> {
  await transactions.run(async (run) => {
    const missing = await run(missingDaysStatement(entries));
    // A role that may not call the function is refused also where it is called for no day.
    if (missing.length > 0) await run(makePartitionsStatement(missing.map(({ day }) => String(day))));
  });
}

/** Makes the partitions from yesterday (UTC, by the database's clock) to a week ahead; returns how many were missing. */
export async function makePartitionsAhead(transactions: Transactions): Promise<number> {
  const [row] = await transactions.run((run) => run(PARTITIONS_AHEAD));
  return Number(row?.['made']);
}

const PARTITIONS_AHEAD: Statement = {
  sql: `
    SELECT landline_make_body_partitions(today - 1, today + ${DAYS_AHEAD}) AS made
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date) AS day (today)`,
  parameters: [],
};

/** Asks on which days these events' bodies lack a partition. A body lies under the time of receipt that the ledger has, where it has the event. */
function missingDaysStatement(entries: readonly LedgerEntry[]): Statement {
  return {
    sql: `
    SELECT days.day::text
    FROM (
      SELECT DISTINCT (COALESCE(e.received_at, ${fromMs('s.received_at')}::timestamptz(3)) AT TIME ZONE 'UTC')::date AS day
      FROM unnest($1::uuid[], $2::float8[]) AS s (id, received_at) LEFT JOIN webhook_events AS e USING (id)
    ) AS days
    WHERE NOT EXISTS (
      SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'webhook_bodies'::regclass AND c.relname = 'webhook_bodies_' || to_char(days.day, 'YYYYMMDD')
    )`,
    parameters: [
      plainArray(entries.map(({ id }) => id)),
      plainArray(entries.map(({ delivery }) => milliseconds(delivery.receivedAt))),
    ],
  };
}

/** Makes a partition for each of these days, which are texts of SQL's type `date`. */
function makePartitionsStatement(days: readonly string[]): Statement {
  return {
    sql: 'SELECT landline_make_body_partitions(day, day) FROM unnest($1::date[]) AS days (day)',
    parameters: [plainArray(days)],
  };
}
