import { Client } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrate } from '../src/schema/migrate.ts';
import { databaseBefore, scriptOf } from './support/old-ledger.ts';

const MIGRATION = '20261130000102_completeness_of_erased';
const WITHIN = { timeout: 20_000, interval: 5 };
const WRITTEN = '2026-01-01T00:00:00Z';

/** In the order in which workers lock them: `B2` stands before `a1`, which other collations do not say. */
const FORGOTTEN = ['A1', 'B2', 'a1', 'b2'];

/** A conversation as the version before has written it. Forgotten is whose transcript went: that leaves a mark in the row. The audio alone leaves none. */
const conversation = (id: string, erasedAt: string | null, completeness: string | null = null) =>
  `INSERT INTO conversations (id, status, started_at, created_at, updated_at, changed_at, clocks, erased_at, completeness)
   VALUES ('${id}', 'done', '${WRITTEN}', '${WRITTEN}', '${WRITTEN}', '${WRITTEN}', '{}',
     ${erasedAt === null ? 'NULL' : `'${erasedAt}'`}, ${completeness === null ? 'NULL' : `'${completeness}'`})`;

const recording = (id: string, deletedAt: string | null) =>
  `INSERT INTO conversation_recordings (conversation_id, event_id, url, content_type, bytes, sha256, created_at, deleted_at)
   VALUES ('${id}', gen_random_uuid(), 'file:/${id}', 'audio/mpeg', 1, '${id}', '${WRITTEN}', ${deletedAt === null ? 'NULL' : `'${deletedAt}'`})`;

const ROWS = [
  ...FORGOTTEN.map((id) => conversation(id, WRITTEN)),
  conversation('audio alone', null),
  conversation('plain', null),
  // Between two migrations a worker of this version may have written these.
  conversation('forgotten since', WRITTEN, 'erased'),
  conversation('complete', null, 'complete'),
  conversation('judged, then forgotten by the version before', WRITTEN, 'missing'),
  recording('A1', WRITTEN),
  recording('B2', null),
  recording('audio alone', WRITTEN),
];

const AFTER = [
  ...FORGOTTEN.map((id) => ({ id, completeness: 'erased', isWritten: true })),
  { id: 'audio alone', completeness: null, isWritten: false },
  { id: 'plain', completeness: null, isWritten: false },
  { id: 'forgotten since', completeness: 'erased', isWritten: false },
  { id: 'complete', completeness: 'complete', isWritten: false },
  { id: 'judged, then forgotten by the version before', completeness: 'erased', isWritten: true },
];

async function filled(): Promise<string> {
  const url = await databaseBefore(MIGRATION);
  await runSql(url, 'ALTER TABLE conversations ALTER COLUMN id TYPE text COLLATE "en-x-icu"');
  await runSql(url, ROWS.join(';'));
  return url;
}

/** How complete each conversation is, and whether somebody who polls for changes sees it. */
const completeness = (url: string) =>
  runSql(
    url,
    `SELECT id, completeness, changed_at <> '${WRITTEN}' AS "isWritten" FROM conversations
     ORDER BY array_position('{${AFTER.map(({ id }) => `"${id}"`).join()}}'::text[], id)`,
  );

/** All rows as they are, with their versions. */
const versions = (url: string) =>
  runSql(url, 'SELECT ctid::text, c.*::text AS row FROM conversations AS c ORDER BY id');

/** All but what the migration writes. */
const others = (url: string) =>
  runSql(
    url,
    `SELECT (to_jsonb(c) - 'completeness' - 'changed_at') AS row, (SELECT jsonb_agg(r) FROM conversation_recordings AS r WHERE r.conversation_id = c.id)
     FROM conversations AS c ORDER BY id`,
  );

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Waits until the migration waits for somebody's row. Returns the process that does. */
const waiting = (url: string) =>
  vi.waitUntil(async () => {
    const [row] = await runSql<{ pid: number }>(
      url,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WITH forgotten%'`,
    );
    return row?.pid;
  }, WITHIN);

test('who was forgotten is erased, and nobody else; to repeat it changes nothing', async () => {
  const url = await filled();
  const before = await others(url);
  expect((await migrate(url)).applied[0]).toBe(MIGRATION);
  expect(await completeness(url)).toEqual(AFTER);
  expect(await others(url)).toEqual(before);
  const once = await versions(url);
  await runSql(url, scriptOf(MIGRATION));
  expect(await versions(url)).toEqual(once);
});

test('one that is killed in the middle leaves nothing, and the next one has the same end', async () => {
  const url = await filled();
  const before = await versions(url);
  const worker = await connect(url);
  await worker.query(`BEGIN; SELECT FROM conversations WHERE id = 'b2' FOR KEY SHARE`);
  const first = migrate(url).then(
    () => 'done',
    () => 'killed',
  );
  await runSql(url, `SELECT pg_terminate_backend(${await waiting(url)})`);
  expect(await first).toBe('killed');
  expect(await versions(url)).toEqual(before);
  await worker.query('COMMIT');
  expect((await migrate(url)).applied[0]).toBe(MIGRATION);
  expect(await completeness(url)).toEqual(AFTER);
});

test('a worker that holds one of the rows, and takes more, is waited for, and what it writes stays', async () => {
  const url = await filled();
  const worker = await connect(url);
  await worker.query(`BEGIN; SELECT FROM conversations WHERE id = 'B2' FOR UPDATE`);
  const migrating = migrate(url);
  await waiting(url);
  // Whoever is not forgotten, and all behind the one that is waited for, are free.
  await worker.query(`SET lock_timeout = '5s'; SELECT FROM conversations WHERE id IN ('a1', 'b2', 'plain') ORDER BY id COLLATE "C" FOR UPDATE;
    UPDATE conversations SET status = 'failed' WHERE id IN ('B2', 'b2'); COMMIT`);
  expect((await migrating).applied[0]).toBe(MIGRATION);
  expect(await completeness(url)).toEqual(AFTER);
  expect(await runSql(url, `SELECT id FROM conversations WHERE status = 'failed' ORDER BY id COLLATE "C"`)).toEqual([
    { id: 'B2' },
    { id: 'b2' },
  ]);
  expect(await runSql(url, `SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`)).toEqual([
    { deadlocks: 0 },
  ]);
});
