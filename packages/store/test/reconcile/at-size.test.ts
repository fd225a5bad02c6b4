import { z } from 'zod';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Statement } from '../../src/connection/statement.ts';
import { openTransactions, type Transactions } from '../../src/connection/transactions.ts';
import {
  COUNT_UNFINISHED,
  knownStatement,
  neverComparedStatement,
  unfetchableStatement,
  unfinishedStatement,
} from '../../src/reconcile/known-statements.ts';
import { clearWordsStatement } from '../../src/reconcile/clear-words.ts';
import { arrivalsStatement } from '../../src/reconcile/arrivals-statement.ts';
import { fetchedSinceStatement, lastGoodRunStatement, OLDEST_WINDOW } from '../../src/reconcile/run-statements.ts';
import { RECONCILE, runAgeStatement } from '../../src/retention/run-statements.ts';
import { withStore } from '../support/with-store.ts';

/** NOTHING_MISSING=whole: as many conversations as the promise names, each with two events. */
const IS_WHOLE = process.env['NOTHING_MISSING'] === 'whole';
const CONVERSATIONS = IS_WHOLE ? 1_000_000 : 20_000;
/** A comparison every quarter of an hour, for as long as they are kept. */
const RUNS = IS_WHOLE ? 8_640 : 500;
/** Of these a comparison reads a thousand together. A small table is read whole for fewer. */
const PAGE = IS_WHOLE ? 1_000 : 20;

const context = withStore();
let transactions: Transactions;

/** Of a thousand calls fifty are unfetchable, two are missing, one waits, one was never compared, and ten were erased. One began each second. */
const SEED = [
  `INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, ended_at, erased_at, completeness)
    SELECT 'conv_' || md5(i::text), 'done', '{}', now(), now(), now() - i * interval '1 second', now() - i * interval '1 second',
      CASE WHEN i % 1000 BETWEEN 60 AND 69 THEN now() END,
      CASE WHEN i % 1000 < 50 THEN 'unfetchable' WHEN i % 1000 < 52 THEN 'missing' WHEN i % 1000 = 52 THEN 'waiting'
        WHEN i % 1000 = 53 THEN NULL WHEN i % 1000 BETWEEN 60 AND 69 THEN 'erased' ELSE 'complete' END
    FROM generate_series(1, ${CONVERSATIONS}) AS i`,
  // Of the missing and the unfetchable ones the audio alone came, so that each look-up finds something.
  `INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, applied_at, origin, outcome, body_bytes)
    SELECT gen_random_uuid(), 'conv_' || md5(i::text), CASE WHEN i % 1000 < 52 OR nth = 2 THEN 'post_call_audio' ELSE 'post_call_transcription' END,
      at, at, at, CASE WHEN i % 100 = 0 THEN 'backfill' ELSE 'webhook' END, 'applied', 0
    FROM generate_series(1, ${CONVERSATIONS}) AS i, generate_series(1, 2) AS nth, LATERAL (SELECT now() - i * interval '1 second') AS t (at)`,
  `INSERT INTO conversation_recordings (conversation_id, event_id, url, content_type, bytes, sha256, created_at)
    SELECT e.conversation_id, e.id, 'file:/' || e.id, 'audio/mpeg', 1, e.id, now() FROM webhook_events AS e WHERE e.type = 'post_call_audio'`,
  `INSERT INTO operations (id, kind, filter, status, requested_by, created_at, started_at, finished_at)
    SELECT md5(i::text)::uuid, 'reconcile', '{}', 'done', 'schedule', at, at, at
    FROM generate_series(1, ${RUNS}) AS i, LATERAL (SELECT now() - i * interval '15 minutes') AS t (at)`,
  `INSERT INTO reconciliations (id, window_from, window_to, started_at, finished_at)
    SELECT o.id, o.created_at - interval '3 days', o.created_at, o.created_at, o.created_at FROM operations AS o`,
  'VACUUM ANALYZE',
];

beforeAll(async () => {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const statement of SEED) await context.sql(statement);
  transactions = openTransactions({ databaseUrl: context.directUrl, poolSize: 1, statementTimeoutMs: 120_000 });
}, 900_000);
afterAll(() => transactions.close());

const ids = z.array(z.object({ id: z.string() }));
/** The large tables: none of them is read whole. */
const LARGE = /Seq Scan on (?:conversations|webhook_events|conversation_recordings|conversation_messages)\b/;

/** Runs a statement, and returns how Postgres went about it. Prints the plan of one that took long. */
async function planOf(name: string, { sql, parameters }: Statement): Promise<string> {
  const explain = { sql: `EXPLAIN (ANALYZE, BUFFERS) ${sql}`, parameters };
  const rows = await transactions.run((run) => run(explain));
  const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
  if (IS_WHOLE) process.stdout.write(`${name}: ${/Execution Time: .*/.exec(plan)?.[0]}\n`);
  if (process.env['PLANS'] !== undefined) process.stdout.write(`${plan}\n`);
  return plan;
}

const listed = () =>
  context.sql(`SELECT id FROM conversations ORDER BY started_at DESC LIMIT 100`).then((rows) => ids.parse(rows));
const DAY_AGO = Date.now() - 86_400_000;
const ERASURE = '00000000-0000-4000-8000-000000000001';
const STATEMENTS: readonly (readonly [name: string, statement: () => Statement | Promise<Statement>])[] = [
  ['a page of the list', async () => knownStatement((await listed()).map(({ id }) => id))],
  ['the first page of what is not through', () => unfinishedStatement(DAY_AGO, '', PAGE)],
  ['a page in the middle of it', () => unfinishedStatement(DAY_AGO, 'conv_8', PAGE)],
  ['its last page', () => unfinishedStatement(DAY_AGO, 'conv_fff', PAGE)],
  ['the first page of what was never compared', () => neverComparedStatement({ startedAt: DAY_AGO, id: '' }, PAGE)],
  ['the first page of the unfetchable', () => unfetchableStatement('', PAGE)],
  ['a page in the middle of them', () => unfetchableStatement('conv_8', PAGE)],
  ['some of the calls whose words an erasure clears', () => clearWordsStatement(ERASURE, 'conv_8', PAGE)],
  ['the counts', () => COUNT_UNFINISHED],
  ['what was fetched in the last hour', () => fetchedSinceStatement(Date.now() - 3_600_000)],
  ['how the last calls came', () => arrivalsStatement(DAY_AGO, Date.now())],
  ['the age of the last run', () => runAgeStatement(RECONCILE)],
  ['the last good run', () => lastGoodRunStatement(72)],
  ['the oldest window', () => OLDEST_WINDOW],
];

test.each(STATEMENTS)(
  `%s, of ${CONVERSATIONS} conversations: no large table is read whole`,
  { timeout: 60_000 },
  async (name, statement) => {
    expect(await planOf(name, await statement())).not.toMatch(LARGE);
  },
);

test(
  'before the first comparison a page reads its own rows alone, also where Postgres does not know the new column yet',
  { timeout: 300_000 },
  async () => {
    await context.sql('UPDATE conversations SET completeness = NULL WHERE erased_at IS NULL');
    await context.sql(`DELETE FROM pg_statistic WHERE starelid = 'conversations'::regclass AND staattnum =
        (SELECT attnum FROM pg_attribute WHERE attrelid = 'conversations'::regclass AND attname = 'completeness')`);
    const statement = neverComparedStatement({ startedAt: DAY_AGO, id: '' }, PAGE);
    const plan = await planOf('a page before the first comparison', statement);
    const read = /conversations_never_compared on .* rows=([\d.]+) loops=1/.exec(plan)?.[1];
    // It sorts by the id what began at the same time, some thirty rows together.
    expect(Number(read)).toBeLessThanOrEqual(PAGE + 32);
    expect(plan).not.toMatch(LARGE);
  },
);
