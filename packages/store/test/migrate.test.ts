import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, inject, test } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrate } from '../src/schema/migrate.ts';
import { withSchemaEngine } from '../src/schema/schema-engine.ts';
import { TABLES } from './support/read-tables.ts';

const PRISMA = new URL('../../../prisma/', import.meta.url);
const NAMES = readdirSync(new URL('migrations', PRISMA), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

const made: string[] = [];
afterAll(async () => {
  // oxlint-disable-next-line no-await-in-loop -- few
  for (const name of made) await runSql(inject('databaseUrl'), `DROP DATABASE ${name} WITH (FORCE)`);
});

/** An empty database that no migration has seen. */
async function emptyDatabase(clause = ''): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await runSql(inject('databaseUrl'), `CREATE DATABASE ${name} TEMPLATE template0 ${clause}`);
  made.push(name);
  const url = new URL(inject('databaseUrl'));
  url.pathname = name;
  return url.href;
}

const connections = (url: string) =>
  runSql(url, `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`);

test('makes the tables in an empty database, then finds nothing to do, and leaves no connection open', async () => {
  const url = await emptyDatabase();
  expect(await migrate(url)).toEqual({ applied: NAMES });
  const tables = await runSql(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
  expect(tables.map((row) => row['tablename'])).toEqual(
    expect.arrayContaining([...Object.keys(TABLES), '_prisma_migrations']),
  );
  expect(await migrate(url)).toEqual({ applied: [] });
  await expect.poll(() => connections(url), { timeout: 20_000 }).toEqual([]);
});

test('applies each migration once where three start at once', async () => {
  const url = await emptyDatabase();
  const results = await Promise.all([migrate(url), migrate(url), migrate(url)]);
  expect(results.flatMap(({ applied }) => applied)).toEqual(NAMES);
  expect(await runSql(url, 'SELECT 1 FROM _prisma_migrations')).toHaveLength(NAMES.length);
});

test('keeps the records that `prisma migrate deploy` keeps', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const rows = await runSql(url, 'SELECT * FROM _prisma_migrations ORDER BY migration_name');
  expect(rows).toEqual(
    NAMES.map((name) => ({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      checksum: createHash('sha256')
        .update(readFileSync(new URL(`migrations/${name}/migration.sql`, PRISMA)))
        .digest('hex'),
      migration_name: name,
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      applied_steps_count: 1,
      logs: null,
    })),
  );
});

const read = (path: string) => readFileSync(new URL(`migrations/${path}`, PRISMA), 'utf8');

/** All that a schema consists of, as Postgres describes it; a table that has partitions as one that has none, and no partition. */
const CATALOG = `
  WITH tables AS (
    SELECT * FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> '_prisma_migrations'
  )
  SELECT format('%I.%I %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid)) AS part
  FROM pg_attribute a JOIN tables c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') FROM pg_index i JOIN tables ON tables.oid = i.indrelid
  UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(c.oid)) FROM pg_constraint c JOIN tables ON tables.oid = c.conrelid
  ORDER BY part`;

test('makes what schema.prisma says, no more and no less', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const content = readFileSync(new URL('schema.prisma', PRISMA), 'utf8');
  const wanted = await emptyDatabase();
  const { stdout } = await withSchemaEngine({ databaseUrl: wanted }, async (transaction) =>
    (await transaction.startEngine()).diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  await runSql(wanted, stdout ?? '');
  // Prisma has no words for an index of an expression.
  await runSql(wanted, read('20261129000206_events_by_error/migration.sql'));
  await runSql(wanted, read('20261129000504_bodies_in_storage/migration.sql'));
  // Nor for a check.
  const [check = ''] = /ADD CONSTRAINT[^;]*\)/.exec(read('20261130000100_completeness/migration.sql')) ?? [];
  await runSql(wanted, `ALTER TABLE conversations ${check}`);
  await runSql(wanted, 'CREATE TABLE _prisma_migrations ()');
  expect(await runSql(url, CATALOG)).toEqual(await runSql(wanted, CATALOG));
  expect(await runSql(url, CATALOG)).toContainEqual({ part: expect.stringContaining('conversations.started_at') });
});

/** Applies the first migration alone, as the version did that knew no other. */
async function applyFirst(url: string): Promise<void> {
  const [name = ''] = NAMES;
  await withSchemaEngine({ databaseUrl: url }, async (transaction) =>
    (await transaction.startEngine()).applyMigrations({
      migrationsList: {
        baseDir: '',
        lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
        shadowDbInitScript: '',
        migrationDirectories: [
          {
            path: name,
            migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: read(`${name}/migration.sql`) } },
          },
        ],
      },
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
}

test('changes tables that are there in a transaction for each migration, so that readers wait for one at most', async () => {
  const url = await emptyDatabase();
  await applyFirst(url);
  await runSql(url, 'CREATE SCHEMA beside');
  await runSql(
    url,
    `CREATE FUNCTION beside.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF to_regclass('public.conversations_changed_at_idx') IS NOT NULL THEN RAISE EXCEPTION 'no index here'; END IF; END $$`,
  );
  await runSql(url, 'CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION beside.refuse()');
  await expect(migrate(url)).rejects.toThrow(/no index here/);

  const index = NAMES.findIndex((name) => name.endsWith('changed_at_index'));
  const finished = `SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY migration_name`;
  expect((await runSql(url, finished)).map((row) => row['migration_name'])).toEqual(NAMES.slice(0, index));
  expect(await runSql(url, 'SELECT changed_at FROM conversations')).toEqual([]);

  await runSql(url, 'DROP EVENT TRIGGER refuse');
  await runSql(url, 'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL');
  expect(await migrate(url)).toEqual({ applied: NAMES.slice(index) });
  expect(await migrate(url)).toEqual({ applied: [] });
});

test('names the migration that fails, leaves nothing of it, and takes it up again once it is marked as rolled back', async () => {
  const url = await emptyDatabase();
  await runSql(url, 'CREATE SCHEMA beside');
  await runSql(
    url,
    `CREATE FUNCTION beside.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF to_regclass('public.user_profiles') IS NOT NULL THEN RAISE EXCEPTION 'no profiles here'; END IF; END $$`,
  );
  await runSql(url, 'CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION beside.refuse()');
  const failure: unknown = await migrate(url).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'MigrationError', code: 'migration_failed', cause: expect.anything() });
  expect(String(failure)).toContain(NAMES[0]);
  expect(String(failure)).toContain('no profiles here');
  await expect.poll(() => connections(url), { timeout: 20_000 }).toEqual([]);
  const tables = await runSql(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
  expect(tables).toEqual([{ tablename: '_prisma_migrations' }]);
  // Not applied on the sly at the next start: a person is to look first, as after `prisma migrate deploy`.
  await expect(migrate(url)).rejects.toThrow(/UPDATE _prisma_migrations SET rolled_back_at/);

  await runSql(url, 'DROP EVENT TRIGGER refuse');
  await runSql(url, 'UPDATE _prisma_migrations SET rolled_back_at = now()');
  expect(await migrate(url)).toEqual({ applied: NAMES });
});

test("says what to do where the database holds somebody else's tables, and leaves them alone", async () => {
  const url = await emptyDatabase();
  await runSql(url, 'CREATE TABLE theirs (id int)');
  await expect(migrate(url)).rejects.toThrow(/a database of its own/);
  const tables = await runSql(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
  expect(tables).toEqual([{ tablename: 'theirs' }]);
});

test('refuses a database in which not every word can be written, before it makes a table', async () => {
  const url = await emptyDatabase(`ENCODING 'LATIN1' LOCALE 'C'`);
  await expect(migrate(url)).rejects.toThrow(/is in LATIN1.*ENCODING 'UTF8'/);
  expect(await runSql(url, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
});

test('says in words that nobody answers, and that a URL cannot be read', async () => {
  const nobody = 'postgresql://landline:secret@127.0.0.1:1/landline';
  await expect(migrate(nobody)).rejects.toThrow('No Postgres answers at 127.0.0.1, port 1');
  const unreadable = 'postgresql://landline:se#cret@127.0.0.1:5432/landline';
  const told: unknown = await migrate(unreadable).catch((error: unknown) => error);
  expect(String(told)).toContain('write @ : / ? # [ ] and % as %40');
  expect(String(told)).not.toContain('cret');
});

test('fails in bounded time where there is no database', async () => {
  await expect(migrate('postgresql://a:b@127.0.0.1:1/c')).rejects.toMatchObject({
    name: 'StoreError',
    faultClass: 'connection',
  });
});
