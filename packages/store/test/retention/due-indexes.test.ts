import { beforeAll, expect, test } from 'vitest';
import { openTransactions } from '../../src/connection/transactions.ts';
import type { Statement } from '../../src/connection/statement.ts';
import { removeStoredBodiesStatement } from '../../src/retention/body-statements.ts';
import {
  audioOrdersStatement,
  deleteEventsStatement,
  deleteRecordingsStatement,
  deleteRejectedStatement,
  dueTranscriptsStatement,
  oldConversationsStatement,
} from '../../src/retention/row-statements.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const ROWS = 20_000;
/** Half of the rows are due. */
const BEFORE = Date.UTC(2026, 0, 8);

beforeAll(async () => {
  const at = `'2026-01-01'::timestamptz + (i - 20) * interval '1 minute'`;
  await context.sql(`INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, delete_transcript_at, delete_audio_at, erased_at)
      SELECT 'c' || i, 'done', '{}', now(), now(), ${at}, CASE WHEN i % 100 = 0 THEN ${at} END, CASE WHEN i % 100 = 0 THEN ${at} END, CASE WHEN i % 2 = 0 AND i % 100 <> 0 THEN now() END
      FROM generate_series(1, ${ROWS}) AS i;
    INSERT INTO conversation_recordings (conversation_id, event_id, url, content_type, bytes, sha256, created_at)
      SELECT 'c' || i, gen_random_uuid(), 'file:/a', 'audio/mpeg', 1, i, ${at} FROM generate_series(1, ${ROWS}) AS i;
    INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes, body_reference)
      SELECT gen_random_uuid(), now(), ${at}, 'webhook', 'applied', 0, CASE WHEN i % 1000 = 0 THEN '{"bodyUrl": "file:/b"}'::jsonb END
      FROM generate_series(1, ${ROWS}) AS i;
    INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
      SELECT gen_random_uuid(), ${at}, 'c', 'c', 'a', '{}' FROM generate_series(1, ${ROWS}) AS i;`);
  await context.sql('ANALYZE');
});

/** Returns the plan of a statement as text. */
async function planOf({ sql, parameters }: Statement): Promise<string> {
  const transactions = openTransactions({ databaseUrl: context.url, poolSize: 1 });
  try {
    const rows = await transactions.run((run) => run({ sql: `EXPLAIN ${sql}`, parameters }));
    return rows.map((row) => String(row['QUERY PLAN'])).join('\n');
  } finally {
    await transactions.close();
  }
}

test.each([
  ['ids', 'webhook_events_received_at_id_idx', deleteEventsStatement(BEFORE, 1_000)],
  ['whole bodies', 'webhook_events_body_in_storage', removeStoredBodiesStatement(BEFORE, 1_000)],
  ['refused requests', 'rejected_requests_received_at_id_idx', deleteRejectedStatement(BEFORE, 1_000)],
  ['recordings', 'conversation_recordings_kept', deleteRecordingsStatement(BEFORE, 1_000)],
  ['transcripts by order', 'conversations_transcript_to_delete', dueTranscriptsStatement(BEFORE, 50)],
  ['audio by order', 'conversations_audio_to_delete', audioOrdersStatement(BEFORE, { at: 0, id: '' }, 1_000)],
  [
    'old conversations',
    'conversations_started_at_idx',
    oldConversationsStatement(BEFORE, { at: BEFORE - 3_600_000, id: '' }, 1_000),
  ],
])('%s that are due are found by an index', async (_, index, statement) => {
  expect(await planOf(statement)).toContain(index);
});
