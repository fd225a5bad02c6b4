import { createStore } from '@landline/store';
import { runSql } from '../../test/support/run-sql.ts';
import { TABLE_NAMES } from '../../test/support/tables.ts';
import { normalised } from '../load/normalised.ts';
import { callEvents } from '../load/signed-events.ts';

/** The length of the bodies in the ledger. They are short, so that millions of rows fit on the disk, and they are never read. */
const BODY_BYTES = 60;

/** How much later than the one before each call begins. */
const SECONDS_APART = 20;

/**
 * Fills an empty database with calls as the worker would have written them. It applies one call, and Postgres multiplies its rows.
 *
 * @param messages  The least number of rows of conversation_messages. The other rows of the calls are made as well.
 */
export async function preload(databaseUrl: string, messages: number): Promise<void> {
  const conversationId = await applyOneCall(databaseUrl);
  const [counted] = await runSql<{ rows: number }>(
    databaseUrl,
    'SELECT count(*)::int AS rows FROM conversation_messages',
  );
  const calls = Math.ceil(messages / (counted?.rows || 1));
  await makePartitions(databaseUrl, calls);
  // Random ids come in no order, so the index is made when all rows are there.
  await runSql(databaseUrl, 'ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_pkey');
  // oxlint-disable no-await-in-loop -- each table takes the whole disk
  for (const table of TABLE_NAMES.filter((name) => name !== 'user_profiles')) {
    await multiply(databaseUrl, table, { calls: calls - 1, conversationId });
  }
  await runSql(databaseUrl, 'ALTER TABLE webhook_events ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id)');
  // The rows are frozen and on disk, so that Postgres has no such work left during a measurement.
  await runSql(databaseUrl, 'VACUUM (FREEZE, ANALYZE)');
  await runSql(databaseUrl, 'CHECKPOINT');
}

/** Makes the partitions of the bodies' days: from the first call, which is the newest, as far back as its copies go. */
async function makePartitions(databaseUrl: string, calls: number): Promise<void> {
  await runSql(
    databaseUrl,
    `SELECT landline_make_body_partitions(((received_at - $1 * interval '${SECONDS_APART} seconds') AT TIME ZONE 'UTC')::date,
       (received_at AT TIME ZONE 'UTC')::date) FROM webhook_bodies ORDER BY received_at LIMIT 1`,
    [calls],
  );
}

async function applyOneCall(databaseUrl: string): Promise<string> {
  const store = createStore({ databaseUrl, poolSize: 1 });
  try {
    const events = normalised(callEvents('preload'));
    await store.apply(events);
    return events[0]?.entry.conversationId ?? '';
  } finally {
    await store.close();
  }
}

/**
 * Repeats the rows of one call, each time 20 s earlier and under an id of its own, which follows from the number of the copy: so an event and its body
 * have the same. It works with any columns of the table.
 */
async function multiply(
  databaseUrl: string,
  table: string,
  { calls, conversationId }: { calls: number; conversationId: string },
): Promise<void> {
  const columns = await runSql<{ name: string; type: string }>(
    databaseUrl,
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position`,
    [table],
  );
  const values = columns.map(({ name, type }) => {
    if (type === 'text') return `replace(t."${name}", '${conversationId}', 'conv_before_' || lpad(n::text, 9, '0'))`;
    if (type.startsWith('timestamp')) return `t."${name}" - n * interval '${SECONDS_APART} seconds'`;
    if (type === 'bytea') return `substring(t."${name}" FOR ${BODY_BYTES})`;
    return type === 'uuid' && /^(event_)?id$/.test(name) ? `md5(t."${name}"::text || n)::uuid` : `t."${name}"`;
  });
  await runSql(
    databaseUrl,
    `INSERT INTO ${table} (${columns.map(({ name }) => `"${name}"`).join(', ')})
     SELECT ${values.join(', ')}
     FROM generate_series(${calls}, 1, -1) AS n CROSS JOIN LATERAL (SELECT * FROM ${table} OFFSET 0) AS t`,
  );
}
