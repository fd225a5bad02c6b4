import { randomUUID } from 'node:crypto';
import { access, chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRoles, readQuery } from '@landline/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';
import { writeServices } from '../src/start/services-file.ts';

const prefix = `sql${randomUUID().replaceAll('-', '')}`;
const passwords = { owner: 'a', worker: 'b', reader: 'c' };
let database: TestDatabase;
let roles: Awaited<ReturnType<typeof makeRoles>>;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  roles = await makeRoles({ adminUrl: database.url, passwords, prefix });
});
afterAll(async () => {
  await database.drop();
  // oxlint-disable-next-line no-await-in-loop -- three
  for (const role of ['owner', 'worker', 'reader']) await runSql(inject('databaseUrl'), `DROP ROLE ${prefix}_${role}`);
});

async function sql(query: string, env: Record<string, string>, root?: string) {
  const lines: string[] = [];
  const context = {
    root: root ?? (await makeTempFolder()),
    env,
    width: 120,
    print: (line: string) => lines.push(line),
  };
  return { code: await runCommand(['sql', query], context), output: lines.join('\n') };
}

const NOTE = 'READER_DATABASE_URL is not set';

test('runs as the reader where it is named, else as the user of DATABASE_URL with a note', async () => {
  const asReader = await sql('SELECT current_user AS name;', {
    DATABASE_URL: roles.owner,
    READER_DATABASE_URL: roles.reader,
  });
  expect(asReader).toMatchObject({ code: 0, output: expect.stringContaining(`${prefix}_reader`) });
  expect(asReader.output).not.toContain(NOTE);
  const asWorker = await sql('SELECT current_user AS name', { DATABASE_URL: roles.worker });
  expect(asWorker).toMatchObject({ code: 0, output: expect.stringContaining(`${prefix}_worker`) });
  expect(asWorker.output).toContain(NOTE);
});

test('finds the reader of a running npm start, and one in a file', async () => {
  const root = await makeTempFolder();
  await writeServices(root, { pid: process.pid, databaseUrl: roles.worker, readerDatabaseUrl: roles.reader });
  const running = await sql('SELECT current_user AS name', {}, root);
  expect(running.output).toContain(`${prefix}_reader`);
  const file = join(root, 'reader');
  await writeFile(file, `${roles.reader}\n`);
  await writeFile(join(root, '.env'), `READER_DATABASE_URL_FILE=${file}\nDATABASE_URL=${roles.worker}\n`);
  expect((await sql('SELECT current_user AS name', {}, root)).output).toContain(`${prefix}_reader`);
});

test.each([
  'SHOW server_encoding',
  'EXPLAIN SELECT 1',
  'TABLE conversations',
  'VALUES (1)',
  'WITH a AS (SELECT 1) TABLE a',
])('answers %s', async (query) => {
  expect((await sql(query, { READER_DATABASE_URL: roles.reader })).code).toBe(0);
});

test('looks into the schema that the URL names', async () => {
  await runSql(database.url, 'CREATE SCHEMA "Beside"');
  await runSql(database.url, `CREATE TABLE "Beside".conversations AS SELECT 'here' AS place`);
  const url = new URL(database.url);
  url.searchParams.set('schema', 'Beside');
  expect((await sql('SELECT place FROM conversations', { DATABASE_URL: url.href })).output).toContain('here');
});

// Attacks that a user of `landline sql` might try. FOLDER stands for a folder that the server may write to.
const ATTACKS: readonly (readonly [query: string, says: RegExp])[] = [
  [" --\rCOPY (SELECT 1) TO PROGRAM 'id > FOLDER/x'", /begins with one of/],
  ["COPY (SELECT 1) TO 'FOLDER/x'", /begins with one of/],
  ["DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO ''FOLDER/x'''; END $$", /begins with one of/],
  ["SELECT 1; COPY (SELECT 1) TO 'FOLDER/x'", /nothing may follow/],
  ['COMMIT', /begins with one of/],
  [`SELECT pg_read_file('PG_VERSION')`, /permission denied/],
  [`SELECT pg_ls_dir('.')`, /permission denied/],
  [`SELECT lo_export(1, 'FOLDER/x')`, /permission denied/],
  [`SELECT lo_from_bytea(0, 'x')`, /read-only/],
  ['EXPLAIN ANALYZE DELETE FROM user_profiles', /explains a query/],
  ['EXPLAIN ANALYZE WITH a AS (DELETE FROM user_profiles RETURNING 1) SELECT 1', /read-only|permission denied/],
  ['EXPLAIN (ANALYZE) CREATE TABLE mine AS SELECT 1', /explains a query/],
  ['WITH gone AS (DELETE FROM user_profiles RETURNING user_id) SELECT * FROM gone', /read-only|permission denied/],
  ['SELECT 1 AS id INTO mine', /read-only|permission denied/],
  ['SELECT * FROM user_profiles FOR UPDATE', /read-only|permission denied/],
  [`SELECT set_config('transaction_read_only', 'off', false)`, /must be set before any query|cannot set/],
  [
    `WITH a AS (SELECT set_config('transaction_read_only', 'off', true)) DELETE FROM user_profiles`,
    /read-only|permission denied/,
  ],
  [
    `SELECT query_to_xml('DELETE FROM user_profiles RETURNING 1', true, false, '')`,
    /read-only|permission denied|not allowed/,
  ],
  [`SELECT query_to_xml('COPY (SELECT 1) TO ''FOLDER/x''', true, false, '')`, /permission denied|COPY/],
];

describe.each(['reader', 'owner', 'superuser'] as const)('as the %s', (who) => {
  const env = (): Record<string, string> => {
    if (who === 'reader') return { READER_DATABASE_URL: roles.reader };
    return { DATABASE_URL: who === 'owner' ? roles.owner : database.url };
  };

  test.each(ATTACKS)('%j writes nothing, and is refused clearly', async (attack, says) => {
    await runSql(
      database.url,
      `INSERT INTO user_profiles (user_id, first_seen_at, last_seen_at)
      VALUES ('kept', now(), now()) ON CONFLICT DO NOTHING`,
    );
    const folder = await makeTempFolder();
    await chmod(folder, 0o777);
    const result = await sql(attack.replaceAll('FOLDER', folder), env());
    expect(result.code).toBeGreaterThan(0);
    expect(result.output).toMatch(says);
    expect(await readdir(folder)).toEqual([]);
    expect(await runSql(database.url, 'SELECT user_id FROM user_profiles')).toEqual([{ user_id: 'kept' }]);
    expect(await runSql(database.url, `SELECT to_regclass('mine') AS mine`)).toEqual([{ mine: null }]);
    expect(await runSql(database.url, 'SELECT 1 FROM pg_largeobject_metadata')).toEqual([]);
  });

  test('the server itself refuses a second statement and a copy to a program, and commits nothing', async () => {
    const url = Object.values(env()).join('');
    await expect(readQuery(url, 'SELECT 1; SELECT 2')).rejects.toThrow(/multiple commands/);
    const file = join(await makeTempFolder(), 'x');
    await expect(readQuery(url, `COPY (SELECT 1) TO PROGRAM 'id > ${file}'`)).rejects.toThrow(/permission denied/);
    await expect(access(file)).rejects.toThrow('ENOENT');
    // To Postgres this is no write; it is rolled back where it is allowed.
    await readQuery(url, 'EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1').catch(() => undefined);
    expect(await runSql(database.url, `SELECT to_regclass('mine') AS mine`)).toEqual([{ mine: null }]);
  });
});
