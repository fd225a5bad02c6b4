import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrate } from '../src/schema/migrate.ts';
import { createStore } from '../src/store.ts';
import { AT, anEvent } from './support/an-event.ts';
import { emptyDatabase } from './support/empty-database.ts';

const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url);
const NAMES = ['20261128000500_conversation_recordings', '20261128000501_body_reference'];

let scripts: { before: string[]; own: string[]; after: string[] };
beforeAll(() => {
  const names = readdirSync(MIGRATIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const read = (name: string) => readFileSync(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8');
  scripts = {
    before: names.filter((name) => name < (NAMES[0] ?? '')).map(read),
    own: NAMES.map(read),
    after: names.filter((name) => name > (NAMES[1] ?? '')).map(read),
  };
});

/** An event's row as a worker of the version before writes it. */
const oldEvent = (id: string, body: string) =>
  `INSERT INTO webhook_events (id, type, event_at, received_at, applied_at, origin, outcome, body)
   VALUES ('${id}', 'post_call_audio', now(), now(), now(), 'webhook', 'applied', '${body}')`;

const ID = 'aaaaaaaa-0000-4000-8000-000000000000';
const LATER_ID = 'bbbbbbbb-0000-4000-8000-000000000000';

/** Makes a database of the version before, with one event. */
async function oldDatabase(): Promise<string> {
  const url = await emptyDatabase();
  // oxlint-disable-next-line no-await-in-loop -- in their order
  for (const script of scripts.before) await runSql(url, script);
  await runSql(url, oldEvent(ID, 'kept'));
  return url;
}

const versions = (url: string) =>
  runSql(url, `SELECT ctid::text, xmin::text, pg_relation_filenode('webhook_events') AS file FROM webhook_events`);

test('rewrites no row, and a worker of the version before goes on beside one of this version', async () => {
  const url = await oldDatabase();
  const before = await versions(url);
  // oxlint-disable-next-line no-await-in-loop -- in their order
  for (const script of scripts.own) await runSql(url, script);
  expect(await versions(url)).toEqual(before);
  await runSql(url, oldEvent(LATER_ID, 'as before'));
  const written = await runSql(
    url,
    `SELECT id, body_reference, convert_from(body, 'UTF8') AS body FROM webhook_events`,
  );
  expect(written).toEqual(
    expect.arrayContaining([
      { id: ID, body_reference: null, body: 'kept' },
      { id: LATER_ID, body_reference: null, body: 'as before' },
    ]),
  );
  // What this version needs beside them.
  // oxlint-disable-next-line no-await-in-loop -- in their order
  for (const script of scripts.after) await runSql(url, script);
  const store = createStore({ databaseUrl: url });
  onTestFinished(() => store.close());
  const audio = { type: 'post_call_audio', at: AT, data: { conversation_id: 'c', full_audio: 'YWJj' } };
  await store.apply([anEvent(audio)]);
  expect(await runSql(url, 'SELECT id FROM webhook_events')).toHaveLength(3);
  expect(await runSql(url, 'SELECT conversation_id FROM conversation_recordings')).toEqual([{ conversation_id: 'c' }]);
});

test('one that is cut off leaves nothing, and is applied whole the next time', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  await runSql(url, 'DROP TABLE conversation_recordings');
  await runSql(url, 'ALTER TABLE webhook_events DROP COLUMN body_reference');
  await runSql(
    url,
    `INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
     VALUES ('${ID}', now(), now(), 'webhook', 'applied', 4)`,
  );
  await runSql(url, `DELETE FROM _prisma_migrations WHERE migration_name IN ('${NAMES.join("', '")}')`);
  await runSql(url, `BEGIN; ${scripts.own.join('')}; ROLLBACK`);
  expect(await runSql(url, `SELECT to_regclass('conversation_recordings') AS found`)).toEqual([{ found: null }]);
  expect((await migrate(url)).applied).toEqual(NAMES);
  expect(await runSql(url, 'SELECT id, body_reference FROM webhook_events')).toEqual([
    { id: ID, body_reference: null },
  ]);
});
