import { describe, expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrationUrl, readDatabaseUrl } from '../src/connection/database-url.ts';
import { migrate } from '../src/schema/migrate.ts';
import { createStore } from '../src/store.ts';
import { storeVariables } from '../src/variables.ts';
import { anEvent } from './support/an-event.ts';
import { emptyDatabase, loginRole } from './support/empty-database.ts';
import { openQueryStore } from './support/query-store.ts';
import { TABLES } from './support/read-tables.ts';

function openStore(databaseUrl: string) {
  const store = openQueryStore({ databaseUrl });
  onTestFinished(() => store.close());
  return store;
}

const tablesIn = async (url: string, schema: string) =>
  (await runSql(url, `SELECT tablename FROM pg_tables WHERE schemaname = '${schema}'`)).map((row) => row['tablename']);

describe.each(['landline', 'With-Capitals', '_$é'])('?schema=%s', (schema) => {
  test('all tables are made there, and events are applied there', async () => {
    const url = await emptyDatabase(schema);
    expect((await migrate(url)).applied.length).toBeGreaterThan(0);
    expect(await migrate(url)).toEqual({ applied: [] });
    expect(await tablesIn(url, schema)).toEqual(expect.arrayContaining([...Object.keys(TABLES), '_prisma_migrations']));
    expect(await tablesIn(url, 'public')).toEqual([]);

    const store = openStore(url);
    await store.probe();
    const event = anEvent({ type: 'conversation.message', data: { conversation_id: 'c' } });
    expect([...(await store.apply([event])).values()]).toEqual(['applied']);
    expect([...(await store.apply([event])).values()]).toEqual(['duplicate']);
    expect(await store.query('SELECT id FROM conversations')).toEqual([{ id: 'c' }]);
    expect(await runSql(url, `SELECT id FROM "${schema}".conversations`)).toEqual([{ id: 'c' }]);
  });
});

test('a schema made by an administrator needs no right to make schemas', async () => {
  const url = await emptyDatabase('theirs');
  const own = await loginRole(url);
  await runSql(url, `CREATE SCHEMA theirs AUTHORIZATION ${own.role}`);
  expect((await migrate(own.url)).applied.length).toBeGreaterThan(0);
  expect(await tablesIn(url, 'theirs')).toContain('webhook_events');
});

test('two schemas of one database know nothing of each other', async () => {
  const one = await emptyDatabase('one');
  const two = one.replace('schema=one', 'schema=two');
  await Promise.all([migrate(one), migrate(two)]);
  const event = anEvent({ type: 'conversation.message', data: { conversation_id: 'c' } });
  expect([...(await openStore(one).apply([event])).values()]).toEqual(['applied']);
  expect([...(await openStore(two).apply([event])).values()]).toEqual(['applied']);
});

test('tables that an earlier version made in public are not left behind in silence', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  await openStore(url).apply([anEvent({ type: 'conversation.message', data: { conversation_id: 'c' } })]);
  const moved = `${url}?schema=moved`;
  await expect(migrate(moved)).rejects.toThrow(/ALTER SCHEMA public RENAME TO "moved"/);
  await runSql(url, 'ALTER SCHEMA public RENAME TO moved; CREATE SCHEMA public');
  expect(await migrate(moved)).toEqual({ applied: [] });
  expect(await openStore(moved).query('SELECT id FROM conversations')).toEqual([{ id: 'c' }]);
});

test('without ?schema= the search path of the role counts, whatever a pooler left on the connection', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  expect(await tablesIn(url, 'public')).toContain('webhook_events');
  // As pg_dump leaves it behind on a connection that a pooler hands on.
  const store = openQueryStore({ databaseUrl: url, poolSize: 1 });
  onTestFinished(() => store.close());
  await store.query(`SELECT set_config('search_path', '', false)`);
  await store.probe();
  expect(await store.query(`SELECT current_setting('search_path') AS path`)).toEqual([{ path: '"$user", public' }]);
});

test.each(['pg_catalog', '1st', 'a"b', "a'b", 'a b', 'a;b', 'x'.repeat(64)])('refuses the schema %s', (schema) => {
  const url = `postgresql://a:b@host:5432/c?schema=${encodeURIComponent(schema)}`;
  expect(() => createStore({ databaseUrl: url })).toThrow(/is no name that Landline takes/);
  expect(storeVariables.DATABASE_URL.safeParse(url).error?.issues[0]?.message).toMatch(/Change \?schema=/);
});

test.each(['0', '-1', 'many', ''])('refuses connection_limit=%s', (limit) => {
  expect(() => readDatabaseUrl(`postgresql://host/c?connection_limit=${limit}`)).toThrow(/1 or more/);
});

test.each(['mysql://host/c', 'host'])('refuses %s as DIRECT_URL, by its name', (url) => {
  expect(storeVariables.DIRECT_URL.safeParse(url).error?.issues[0]?.message).toMatch(/^DIRECT_URL must read postgres/);
  expect(storeVariables.DIRECT_URL.parse(undefined)).toBe('');
});

test('DIRECT_URL goes to the schema of DATABASE_URL', () => {
  expect(migrationUrl('postgresql://pooler/c?schema=s', 'postgresql://direct/c')).toBe(
    'postgresql://direct/c?schema=s',
  );
  expect(migrationUrl('postgresql://pooler/c', 'postgresql://direct/c')).toBe('postgresql://direct/c');
  expect(migrationUrl('postgresql://pooler/c', '')).toBe('postgresql://pooler/c');
  expect(migrationUrl('postgresql://pooler/c?schema=s', 'postgresql://direct/c?schema=s')).toContain('direct');
  expect(() => migrationUrl('postgresql://pooler/c', 'postgresql://direct/c?schema=s')).toThrow(/the same \?schema=/);
});
