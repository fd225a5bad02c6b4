import { randomUUID } from 'node:crypto';
import { codeOfFold, tidyRebuilds } from '@landline/operations';
import { makeRoles, migrate, type ApplicableEvent } from '@landline/store';
// oxlint-disable-next-line no-restricted-imports -- it holds a table as any client may
import { Client } from 'pg';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { selectTables, tablesIn, type Tables } from '../../../packages/store/test/support/read-tables.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { RECEIVED_AT } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { aRebuild, eventOf, manyEvents, saidBy, type RebuildLine } from './support/a-rebuild.ts';

const HOUR = 3_600_000;

/** Nine of ten events that a wrong rule has read. REBUILD=whole: 10,000 in all. */
const WRONG_EVENTS = process.env['REBUILD'] === 'whole' ? 9_000 : 1_800;

/** All rows of all tables. */
async function rowsOf({ sql }: Pick<RebuildLine, 'sql'>): Promise<Tables> {
  return tablesIn(await sql(selectTables()));
}

/** Reads a table until the test says `end`: no swap has its moment meanwhile, however slow or quick this machine is. */
async function readForLong({ adminUrl }: RebuildLine) {
  const reading = new Client({ connectionString: adminUrl });
  onTestFinished(() => reading.end());
  await reading.connect();
  await reading.query('BEGIN; SELECT count(*) FROM conversations');
  return reading;
}

/** Whatever a rebuild makes beside the tables: schemas, and triggers that note changes. */
async function traces({ sql }: RebuildLine): Promise<unknown> {
  return sql(`SELECT nspname::text AS left_over FROM pg_namespace WHERE nspname LIKE 'landline%'
    UNION SELECT tgname FROM pg_trigger WHERE tgname LIKE 'landline%'`);
}

/** What belongs to the tables beside their rows, by the catalogue: columns, indexes, constraints, options, owner and rights. */
const CATALOGUE = `
  SELECT c.relname, c.relkind, c.reloptions, c.relowner::regrole::text AS owner, c.relacl::text AS rights,
    (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    pg_get_indexdef(c.oid) AS index,
    (SELECT jsonb_agg(jsonb_build_array(k.conname, pg_get_constraintdef(k.oid)) ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = c.oid) AS constraints
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i', 'p') AND c.relname NOT LIKE 'webhook_bodies%'
  ORDER BY c.relname`;

describe('a rebuild of an unchanged product', () => {
  test('differs in nothing, whatever the events are, and leaves nothing behind', async () => {
    const line = await aRebuild();
    const events = manyEvents(500);
    await line.apply(events);
    // Deliveries that came again, later than the first.
    await line.apply(events.slice(0, 50).map((event) => receivedLater(event, HOUR)));
    const before = await rowsOf(line);
    expect(await line.rebuild('no')).toMatchObject({ status: 'done', failed: 0, message: 'Nothing differs.' });
    expect(await traces(line)).toEqual([]);
    expect(await rowsOf(line)).toEqual(before);
  });

  test('differs in nothing where a dead event was revived by a later delivery, and where an ignored one was', async () => {
    const line = await aRebuild();
    const first = [saidBy('u', 'c', 'one'), saidBy('u', 'c', 'two')];
    const [dead, ignored] = first;
    if (dead === undefined || ignored === undefined) throw new Error('There are two.');
    await line.store.recordDead([{ entry: dead.entry, fault: { code: 'x', message: 'x' }, attempts: 1 }]);
    await line.store.apply([{ outcome: 'ignored', entry: ignored.entry }]);
    await line.apply(first.map((event) => receivedLater(event, HOUR)));
    expect(await line.sql(`SELECT DISTINCT outcome FROM webhook_events`)).toEqual([{ outcome: 'applied' }]);
    expect(await line.rebuild('no')).toMatchObject({ status: 'done', message: 'Nothing differs.' });
  });

  test('differs in nothing at the end while events come, and none of them is lost by a swap', async () => {
    const line = await aRebuild();
    await line.apply(manyEvents(700));
    const others = manyEvents(900, 'later');
    const rebuild = await line.ask('yes', 1_500);
    let sent = 0;
    const isOver = async () => (await rebuild.get()).finishedAt !== null;
    while (sent < others.length && !(await isOver())) {
      // oxlint-disable-next-line no-await-in-loop -- as they come
      await line.store.apply(others.slice(sent, (sent += 10)));
    }
    expect(await rebuild.ended()).toMatchObject({
      status: 'done',
      message: expect.stringMatching(/^Nothing differs\./),
    });
    expect(sent).toBeGreaterThan(200);
    await line.apply(others);
    const swapped = await rowsOf(line);
    const reference = await aRebuild();
    await reference.apply([...manyEvents(700), ...others]);
    expect(swapped).toEqual(await rowsOf(reference));
  });
});

function receivedLater(event: ApplicableEvent, ms: number): ApplicableEvent {
  const { body, receivedAt, signedAt, reference, encoding } = event.entry.delivery;
  if (reference !== undefined) return event;
  return eventOf(Buffer.from(body, encoding), { receivedAt: receivedAt + ms, signedAt });
}

describe('a wrong rule', () => {
  test('is mended: the difference names what is wrong, and after the swap all rows are right, in tables like those before', async () => {
    const line = await aRebuild();
    const events = [
      ...Array.from({ length: WRONG_EVENTS }, (_, i) =>
        saidBy(`u${i % 300}`, `c${i % 900}`, `word ${i}`, RECEIVED_AT + i),
      ),
      ...manyEvents(WRONG_EVENTS / 9),
    ];
    await line.apply(events.map(misread));
    await line.sql('CREATE INDEX of_somebody ON conversation_messages (role) WHERE role IS NOT NULL');
    const catalogue = await line.sql(CATALOGUE);
    const { size } = new Set(events.flatMap(({ outcome, entry }) => (outcome === 'applied' ? [entry.id] : [])));
    expect(size).toBeGreaterThan(WRONG_EVENTS);
    expect(await line.rebuild('no')).toMatchObject({ status: 'done', total: size, done: size, failed: 0 });
    const [kept] = await line.rebuilds.kept();
    const differences = await line.rebuilds.differences(kept?.schema ?? '');
    expect(differences.map(({ table, column }) => `${table}.${column}`)).toEqual(['conversation_messages.content']);
    expect(differences[0]?.rows).toBeGreaterThanOrEqual(WRONG_EVENTS);
    expect(differences[0]?.sample).toHaveLength(5);
    for (const { key, before, after } of differences[0]?.sample ?? []) {
      expect(key).toMatchObject({ conversation_id: expect.any(String), source: expect.any(String) });
      expect(before).toBe(String(after).toUpperCase());
      expect(before).not.toBe(after);
    }

    // What comes meanwhile goes to both.
    await line.apply([saidBy('u1', 'c1', 'later')]);
    const swapped = await line.rebuild('yes');
    expect(swapped).toMatchObject({
      status: 'done',
      message: expect.stringMatching(/^1 column differs\. The old tables are in landline_before_\d{8}_\d{6}\.$/),
    });
    const reference = await aRebuild();
    await reference.apply([...events, saidBy('u1', 'c1', 'later')]);
    expect(await rowsOf(line)).toEqual(await rowsOf(reference));
    expect(await line.sql(CATALOGUE)).toEqual(catalogue);

    const [old, ...others] = await line.rebuilds.kept();
    expect(others).toEqual([]);
    expect(
      await line.sql(`SELECT count(*)::int AS n FROM ${old?.schema}.conversation_messages WHERE content = 'WORD 1'`),
    ).toEqual([{ n: 1 }]);
    expect(await line.rebuilds.differences(old?.schema ?? '')).toHaveLength(1);
    // Events go on into the new tables.
    await line.apply([saidBy('u1', 'c1', 'after')]);
    expect(await line.sql(`SELECT count(*)::int AS n FROM conversation_messages WHERE content = 'after'`)).toEqual([
      { n: 1 },
    ]);
    await line.rebuilds.drop(old?.schema ?? '');
    expect(await traces(line)).toEqual([]);
    expect(await line.rebuild('no')).toMatchObject({ message: 'Nothing differs.' });
  });

  test('that made rows which nothing tells of, or left some out, is found as whole rows', async () => {
    const line = await aRebuild();
    const said = saidBy('u', 'c', 'said');
    if (said.outcome !== 'applied') throw new Error('It is applied.');
    await line.apply([{ ...said, changes: { ...said.changes, messages: [] } }, saidBy('u', 'd', 'other')]);
    await line.sql(
      `INSERT INTO user_commands (conversation_id, action_id, created_at, clocks) VALUES ('d', 'x', now(), '{}')`,
    );
    expect(await line.rebuild('no')).toMatchObject({ status: 'done' });
    const [kept] = await line.rebuilds.kept();
    expect(await line.rebuilds.differences(kept?.schema ?? '')).toEqual([
      {
        table: 'conversation_messages',
        column: '*',
        rows: 1,
        sample: [
          { key: { conversation_id: 'c', source: 'live', event_key: 'user:c said' }, before: null, after: 'row' },
        ],
      },
      {
        table: 'user_commands',
        column: '*',
        rows: 1,
        sample: [{ key: { conversation_id: 'd', action_id: 'x' }, before: 'row', after: null }],
      },
    ]);
  });
});

/** Applies what was said in capital letters. */
function misread(event: ApplicableEvent): ApplicableEvent {
  if (event.outcome === 'ignored') return event;
  const messages = event.changes.messages.map((message) => ({
    ...message,
    content: message.content?.toUpperCase() ?? null,
  }));
  return { ...event, changes: { ...event.changes, messages } };
}

describe('what the ledger cannot give any more', () => {
  test('stays as it is: the rows of calls with an event whose body is gone, and of their callers', async () => {
    const line = await aRebuild();
    const events = ['a', 'b', 'c'].flatMap((call) => [
      saidBy(`of_${call}`, call, 'one'),
      saidBy(`of_${call}`, call, 'two'),
    ]);
    await line.apply(events.map(misread));
    await line.sql(
      `DELETE FROM webhook_bodies WHERE event_id = (SELECT id FROM webhook_events WHERE event_key = 'a one')`,
    );
    // The ledger has forgotten these events.
    await line.sql(
      `DELETE FROM webhook_bodies WHERE event_id IN (SELECT id FROM webhook_events WHERE conversation_id = 'b')`,
    );
    await line.sql(`DELETE FROM webhook_events WHERE conversation_id = 'b'`);
    await line.sql(`UPDATE user_profiles SET personality = '"kept"'`);
    await line.sql(
      `INSERT INTO user_profiles (user_id, first_seen_at, last_seen_at, clocks) VALUES ('of_nobody', '2025-01-01', '2025-01-02', '{}')`,
    );
    expect(await line.rebuild('yes')).toMatchObject({ status: 'done', total: 4, done: 4, failed: 0 });
    expect(await line.sql('SELECT conversation_id AS call, content FROM conversation_messages ORDER BY 1, 2')).toEqual([
      { call: 'a', content: 'ONE' },
      { call: 'a', content: 'TWO' },
      { call: 'b', content: 'ONE' },
      { call: 'b', content: 'TWO' },
      { call: 'c', content: 'one' },
      { call: 'c', content: 'two' },
    ]);
    expect(await line.sql('SELECT user_id, personality FROM user_profiles ORDER BY 1')).toEqual([
      { user_id: 'of_a', personality: 'kept' },
      { user_id: 'of_b', personality: 'kept' },
      { user_id: 'of_c', personality: null },
      { user_id: 'of_nobody', personality: null },
    ]);
  });

  test('what is erased, forgotten or dropped while the rebuild runs does not come back', async () => {
    const line = await aRebuild();
    await line.sql('ALTER TABLE conversations ADD COLUMN IF NOT EXISTS erased_at timestamptz(3)');
    await line.apply(['a', 'b', 'c', 'd'].map((call) => saidBy(`of_${call}`, call, 'secret')));
    const rebuild = await line.ask('yes', 4);
    await vi.waitUntil(async () => (await line.rebuilds.kept()).length === 1, { timeout: 20_000, interval: 10 });
    await line.sql(`WITH erased AS (UPDATE conversations SET erased_at = now(), user_id = NULL, title = NULL, changed_at = DEFAULT WHERE id = 'a' RETURNING id),
      messages AS (DELETE FROM conversation_messages WHERE conversation_id = 'a'), profile AS (DELETE FROM user_profiles WHERE user_id = 'of_a')
      DELETE FROM webhook_bodies WHERE event_id IN (SELECT id FROM webhook_events WHERE conversation_id = 'a')`);
    await line.sql(
      `WITH gone AS (DELETE FROM conversations WHERE id = 'b') DELETE FROM conversation_messages WHERE conversation_id = 'b'`,
    );
    await line.sql(`UPDATE conversation_messages SET content = 'kept' WHERE conversation_id = 'c'`);
    await line.sql(
      `DELETE FROM webhook_bodies WHERE event_id IN (SELECT id FROM webhook_events WHERE conversation_id = 'c')`,
    );
    expect(await rebuild.ended()).toMatchObject({ status: 'done' });
    expect(await line.sql('SELECT conversation_id AS call, content FROM conversation_messages ORDER BY 1')).toEqual([
      { call: 'c', content: 'kept' },
      { call: 'd', content: 'secret' },
    ]);
    expect(await line.sql('SELECT id, erased_at IS NOT NULL AS erased FROM conversations ORDER BY id')).toEqual([
      { id: 'a', erased: true },
      { id: 'c', erased: false },
      { id: 'd', erased: false },
    ]);
    expect(await line.sql(`SELECT user_id FROM user_profiles WHERE user_id = 'of_a'`)).toEqual([]);
  });

  test('the bodies of a day that are dropped while the rebuild runs count as gone', async () => {
    const line = await aRebuild();
    await line.sql(`SELECT landline_make_body_partitions('2026-01-03', '2026-01-03')`);
    await line.apply([saidBy('u', 'old', 'one', RECEIVED_AT - 48 * HOUR), saidBy('v', 'new', 'two')].map(misread));
    const reading = await readForLong(line);
    const rebuild = await line.ask('yes', 4);
    await vi.waitUntil(async () => (await line.rebuilds.kept()).length === 1, { timeout: 20_000, interval: 10 });
    await line.sql('DROP TABLE webhook_bodies_20260103');
    await reading.end();
    expect(await rebuild.ended()).toMatchObject({ status: 'done' });
    expect(await line.sql('SELECT content FROM conversation_messages ORDER BY conversation_id')).toEqual([
      { content: 'two' },
      { content: 'ONE' },
    ]);
  });

  test('where audio lies, and that it was deleted, is no event’s affair', async () => {
    const line = await aRebuild();
    const body = '{"type":"post_call_audio","data":{"conversation_id":"c","full_audio":"AAAA"}}';
    await line.apply([eventOf(body)]);
    await line.sql(`UPDATE conversation_recordings SET url = 'file:/kept', stored_at = now()`);
    await line.apply([eventOf(body.replace('"c"', '"d"'))]);
    await line.sql(`UPDATE conversation_recordings SET deleted_at = now() WHERE conversation_id = 'd'`);
    const before = await rowsOf(line);
    expect(await line.rebuild('yes')).toMatchObject({ message: expect.stringMatching(/^Nothing differs\./) });
    expect(await rowsOf(line)).toEqual(before);
  });
});

test('the worker’s role can rebuild and swap, the reader’s reads the new tables and the old ones, and nobody gains a right', async () => {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(database.drop);
  const prefix = `r${randomUUID().replaceAll('-', '')}`;
  const passwords = { owner: randomUUID(), worker: randomUUID(), reader: randomUUID() };
  const { worker, reader } = await makeRoles({ adminUrl: database.directUrl, passwords, prefix });
  onTestFinished(async () => {
    for (const role of ['reader', 'worker', 'owner']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await runSql(database.directUrl, `DROP OWNED BY ${prefix}_${role} CASCADE; DROP ROLE ${prefix}_${role}`);
    }
  });
  const line = await aRebuild({ databaseUrl: worker, adminUrl: database.directUrl });
  await line.apply([saidBy('u', 'c', 'one')].map(misread));
  const catalogue = await line.sql(CATALOGUE);
  expect(await line.rebuild('yes')).toMatchObject({ status: 'done' });
  expect(await line.sql(CATALOGUE)).toEqual(catalogue);
  const [old] = await line.rebuilds.kept();
  expect(await runSql(reader, 'SELECT content FROM conversation_messages')).toEqual([{ content: 'one' }]);
  expect(await runSql(reader, `SELECT content FROM ${old?.schema}.conversation_messages`)).toEqual([
    { content: 'ONE' },
  ]);
  await expect(runSql(reader, `SELECT landline_rebuild('drop', '${old?.schema}')`)).rejects.toMatchObject({
    code: '42501',
  });
  for (const [step, target, message] of [
    ['drop', 'public', 'There is no rebuild in the schema public'],
    ['drop', 'landline_before_1', 'There is no rebuild in the schema landline_before_1'],
    ['swap', old?.schema, 'is of no rebuild of these tables'],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(runSql(worker, `SELECT landline_rebuild('${step}', '${target}')`)).rejects.toThrow(message);
  }
  await line.rebuilds.drop(old?.schema ?? '');
});

const inSales = (url: string) => `${url}${url.includes('?') ? '&' : '?'}schema=Sales-1`;

test('tables in a schema of ?schema= are rebuilt there', async () => {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(database.drop);
  await runSql(database.directUrl, 'CREATE SCHEMA "Sales-1"');
  await migrate(inSales(database.directUrl));
  const line = await aRebuild({ databaseUrl: inSales(database.url), adminUrl: database.directUrl });
  await line.apply([saidBy('u', 'c', 'one')].map(misread));
  expect(await line.rebuild('yes')).toMatchObject({ status: 'done' });
  expect(await line.sql('SELECT content FROM "Sales-1".conversation_messages')).toEqual([{ content: 'one' }]);
  expect(await line.sql('SELECT count(*)::int AS n FROM public.conversation_messages')).toEqual([{ n: 0 }]);
});

test('what somebody has made on the tables keeps them from being swapped, and is named', async () => {
  const line = await aRebuild();
  await line.apply([saidBy('u', 'c', 'one')]);
  await line.sql('CREATE VIEW calls AS SELECT id FROM conversations');
  expect(await line.rebuild('yes')).toMatchObject({
    status: 'failed',
    message:
      'A swap would leave these on the old tables: the view calls. Drop them, and make them again after the swap.',
  });
  expect(await line.rebuild('no')).toMatchObject({ status: 'done', message: 'Nothing differs.' });
  expect(await traces(line)).toEqual([]);
});

test('a rebuild that is cancelled leaves the tables, and nothing beside them', async () => {
  const line = await aRebuild();
  await line.apply(Array.from({ length: 50 }, (_, i) => saidBy('u', 'c', `word ${i}`)));
  const rebuild = await line.ask('yes', 10);
  await vi.waitUntil(async () => (await line.rebuilds.kept()).length === 1, { timeout: 20_000, interval: 10 });
  await line.store.operations.cancel(rebuild.id);
  expect(await rebuild.ended()).toMatchObject({ status: 'cancelled' });
  expect(await traces(line)).toEqual([]);
});

test('while somebody reads a table for long, events go on, and the swap waits for its moment', async () => {
  const line = await aRebuild();
  await line.apply([saidBy('u', 'c', 'one')].map(misread));
  const reading = await readForLong(line);
  const rebuild = await line.ask('yes');
  const waits = async () => (await rebuild.get()).message?.startsWith('Waits for a moment');
  await vi.waitUntil(waits, { timeout: 20_000, interval: 20 });
  await line.apply([saidBy('u', 'c', 'two')]);
  expect(await rebuild.get()).toMatchObject({ status: 'running' });
  await reading.end();
  expect(await rebuild.ended()).toMatchObject({
    status: 'done',
    message: expect.stringMatching(/^1 column differs\. The old/),
  });
  expect(await line.sql('SELECT content FROM conversation_messages ORDER BY 1')).toEqual([
    { content: 'one' },
    { content: 'two' },
  ]);
});

test('tables that wait for their swap take over what comes, and are dropped when their day is over', async () => {
  const line = await aRebuild();
  await line.apply([saidBy('u', 'c', 'one')].map(misread));
  await line.rebuild('no');
  const [kept] = await line.rebuilds.kept();
  await line.apply([saidBy('u', 'c', 'two')]);
  const tidy = () =>
    tidyRebuilds(line.store.operations, { rebuilds: line.rebuilds, code: codeOfFold }, new AbortController().signal);
  await tidy();
  expect(await line.sql(`SELECT content FROM ${kept?.schema}.conversation_messages ORDER BY 1`)).toEqual([
    { content: 'one' },
    { content: 'two' },
  ]);
  await line.sql(`UPDATE ${kept?.schema}.landline_rebuild SET made_at = made_at - interval '1 day'`);
  await tidy();
  expect(await traces(line)).toEqual([]);
});

test('tables that a migration has changed since are not swapped, and the next rebuild begins anew; an index is made up for', async () => {
  const line = await aRebuild();
  await line.apply([saidBy('u', 'c', 'one')].map(misread));
  await line.rebuild('no');
  await line.sql('CREATE INDEX by_somebody ON conversation_messages (role)');
  await line.sql('ALTER TABLE user_commands ADD COLUMN later text');
  expect(await line.rebuild('yes')).toMatchObject({
    status: 'failed',
    message:
      'The columns, indexes or rights of user_commands have changed since the rebuild began. Nothing was swapped: type the command again.',
  });
  expect(await traces(line)).toEqual([]);
  await line.rebuild('no');
  await line.sql('CREATE INDEX by_another ON conversation_messages (position)');
  const catalogue = await line.sql(CATALOGUE);
  expect(await line.rebuild('yes')).toMatchObject({ status: 'done' });
  expect(await line.sql(CATALOGUE)).toEqual(catalogue);
});
