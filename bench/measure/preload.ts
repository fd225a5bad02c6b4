import { createStore } from '@landline/store';
import { runSql } from '../../test/support/run-sql.ts';
import { TABLE_NAMES } from '../../test/support/tables.ts';
import { normalised } from '../load/normalised.ts';
import { callEvents } from '../load/signed-events.ts';

/** Of the ledger's bodies, so that millions of rows need no disk of their own. They are never read. */
const BODY_BYTES = 60;

/**
 * Fills an empty database with calls as the worker would have written them: one is applied, and multiplied by Postgres.
 *
 * @param messages  At least as many rows of conversation_messages; with them the calls' other rows.
 */
export async function preload(databaseUrl: string, messages: number): Promise<void> {
  const conversationId = await applyOneCall(databaseUrl);
  const [counted] = await runSql<{ rows: number }>(
    databaseUrl,
    'SELECT count(*)::int AS rows FROM conversation_messages',
  );
  const calls = Math.ceil(messages / (counted?.rows || 1));
  // Random ids come in no order; the index is made when all are there.
  await runSql(databaseUrl, 'ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_pkey');
  // oxlint-disable no-await-in-loop -- each table takes the whole disk
  for (const table of TABLE_NAMES.filter((name) => name !== 'user_profiles')) {
    await multiply(databaseUrl, table, { calls: calls - 1, conversationId });
  }
  await runSql(databaseUrl, 'ALTER TABLE webhook_events ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id)');
  // Frozen and on disk, so that none of that is left to do while something is measured.
  await runSql(databaseUrl, 'VACUUM (FREEZE, ANALYZE)');
  await runSql(databaseUrl, 'CHECKPOINT');
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

/** Repeats the rows of one call, each time 20 s earlier and under an id of its own, whatever the table's columns are. */
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
    if (type.startsWith('timestamp')) return `t."${name}" - n * interval '20 seconds'`;
    if (type === 'bytea') return `substring(t."${name}" FOR ${BODY_BYTES})`;
    return type === 'uuid' && name === 'id' ? 'gen_random_uuid()' : `t."${name}"`;
  });
  await runSql(
    databaseUrl,
    `INSERT INTO ${table} (${columns.map(({ name }) => `"${name}"`).join(', ')})
     SELECT ${values.join(', ')}
     FROM generate_series(${calls}, 1, -1) AS n CROSS JOIN LATERAL (SELECT * FROM ${table} OFFSET 0) AS t`,
  );
}
