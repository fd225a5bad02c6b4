import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '@landline/local-servers';
import { afterAll, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { migrate } from '../src/schema/migrate.ts';
import { makeRoles, type RoleOptions } from '../src/schema/roles.ts';
import { createStore } from '../src/store.ts';
import { anEvent } from './support/an-event.ts';
import { TABLES } from './support/read-tables.ts';

const clean: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  // oxlint-disable-next-line no-await-in-loop -- a role goes after what it owns
  for (const step of clean) await step();
});

const DENIED = { code: '42501' };

/** A migrated database, made as a version before the roles made it: all of it is the superuser's. */
async function oldDatabase(): Promise<string> {
  const database = await createDatabase(inject('databaseUrl'));
  clean.unshift(database.drop);
  return database.url;
}

async function emptyDatabase(clause = ''): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await runSql(inject('databaseUrl'), `CREATE DATABASE ${name} TEMPLATE template0 ${clause}`);
  clean.unshift(() => runSql(inject('databaseUrl'), `DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(inject('databaseUrl'));
  url.pathname = name;
  return url.href;
}

/** Options with names of this test's own: roles belong to the whole cluster. */
function options(adminUrl: string, more: Partial<RoleOptions> = {}): RoleOptions {
  const prefix = `r${randomUUID().replaceAll('-', '')}`;
  for (const role of ['owner', 'worker', 'reader']) {
    clean.push(() => runSql(inject('databaseUrl'), `DROP ROLE IF EXISTS ${prefix}_${role}`));
  }
  const passwords = { owner: randomUUID(), worker: randomUUID(), reader: randomUUID() };
  return { adminUrl, passwords, prefix, ...more };
}

const COUNT = 'SELECT count(*)::int AS n FROM conversations';

test('the worker applies events and changes no table, the reader reads and does nothing else', async () => {
  const { owner, worker, reader } = await makeRoles(options(await oldDatabase()));
  const store = createStore({ databaseUrl: worker });
  await store.probe();
  const event = anEvent({ type: 'conversation.started', data: { conversation_id: 'c' } });
  expect([...(await store.apply([event])).values()]).toEqual(['applied']);
  await store.close();
  for (const sql of [
    'CREATE TABLE mine (id int)',
    'DROP TABLE conversations',
    'TRUNCATE conversations',
    'CREATE SCHEMA mine',
  ])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(runSql(worker, sql)).rejects.toMatchObject(DENIED);

  expect(await runSql(reader, COUNT)).toEqual([{ n: 1 }]);
  for (const table of Object.keys(TABLES)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(runSql(reader, `BEGIN READ WRITE; DELETE FROM ${table}`)).rejects.toMatchObject(DENIED);
  }
  await expect(runSql(reader, 'BEGIN READ WRITE; CREATE TABLE mine (id int)')).rejects.toMatchObject(DENIED);
  await expect(runSql(reader, `SELECT pg_read_file('PG_VERSION')`)).rejects.toMatchObject(DENIED);
  await expect(runSql(reader, `SET ROLE ${new URL(owner).username}`)).rejects.toMatchObject(DENIED);
});

test('moves the tables of an older version to the owner with what is in them, as often as it is told', async () => {
  const adminUrl = await oldDatabase();
  const store = createStore({ databaseUrl: adminUrl });
  await store.apply([anEvent({ type: 'conversation.started', data: { conversation_id: 'kept' } })]);
  await store.close();
  const given = options(adminUrl);
  const { owner, worker } = await makeRoles(given);
  expect(await makeRoles(given)).toMatchObject({ owner, worker });
  const owners = await runSql(adminUrl, `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`);
  expect(owners).toEqual([{ tableowner: new URL(owner).username }]);
  expect(await runSql(worker, 'SELECT id FROM conversations')).toEqual([{ id: 'kept' }]);
  await runSql(owner, 'ALTER TABLE user_profiles ADD COLUMN shoe_size int');
  // What the administrator could do before goes on.
  await runSql(adminUrl, 'DELETE FROM conversations');
});

test('the owner migrates an empty database, and its later tables are open to the others at once', async () => {
  const { owner, worker, reader } = await makeRoles(options(await emptyDatabase()));
  expect((await migrate(owner)).applied).not.toEqual([]);
  expect(await migrate(worker)).toEqual({ applied: [] });
  await runSql(owner, 'CREATE TABLE later (id serial, name text)');
  await runSql(worker, `INSERT INTO later (name) VALUES ('a')`);
  expect(await runSql(reader, 'SELECT id, name FROM later')).toEqual([{ id: 1, name: 'a' }]);
  await expect(runSql(reader, 'BEGIN READ WRITE; DELETE FROM later')).rejects.toMatchObject(DENIED);
});

test('a worker that finds the tables behind says who can migrate, and leaves no failed migration behind', async () => {
  const given = options(await emptyDatabase());
  const { owner, worker } = await makeRoles(given);
  const refusal = { name: 'MigrationError', message: expect.stringMatching(/landline migrate.*DIRECT_URL/) };
  await expect(migrate(worker)).rejects.toMatchObject(refusal);
  await migrate(owner);
  // A migration that this version has, and the database has not.
  await runSql(owner, 'DELETE FROM _prisma_migrations');
  await expect(migrate(worker)).rejects.toMatchObject(refusal);
  expect(await runSql(owner, 'SELECT * FROM _prisma_migrations')).toEqual([]);
  await makeRoles(given);
  await expect(runSql(worker, 'DELETE FROM _prisma_migrations')).rejects.toMatchObject(DENIED);
});

test('works in a schema of its own', async () => {
  const { owner, worker, reader } = await makeRoles(options(await emptyDatabase(), { schema: 'Our "calls"' }));
  await runSql(owner, 'CREATE TABLE "Our ""calls""".later (id int)');
  await runSql(worker, 'INSERT INTO "Our ""calls""".later VALUES (1)');
  expect(await runSql(reader, 'SELECT id FROM "Our ""calls""".later')).toEqual([{ id: 1 }]);
  await expect(runSql(worker, 'CREATE TABLE "Our ""calls""".mine (id int)')).rejects.toMatchObject(DENIED);
});

test('is made by an administrator who is no superuser: CREATEROLE, and the database is its own', async () => {
  const admin = `admin_${randomUUID().replaceAll('-', '')}`;
  await runSql(inject('databaseUrl'), `CREATE ROLE ${admin} LOGIN CREATEROLE PASSWORD 'of this test'`);
  clean.push(() => runSql(inject('databaseUrl'), `DROP ROLE ${admin}`));
  const url = new URL(await emptyDatabase(`OWNER ${admin}`));
  [url.username, url.password] = [admin, 'of%20this%20test'];
  await migrate(url.href); // as before there were roles
  const { owner, worker, reader } = await makeRoles(options(url.href));
  await runSql(owner, 'ALTER TABLE conversations ADD COLUMN shoe_size int');
  await runSql(owner, 'CREATE TABLE later (id int)');
  await runSql(worker, 'INSERT INTO later VALUES (1)');
  expect(await runSql(reader, 'SELECT id FROM later')).toEqual([{ id: 1 }]);
  await expect(runSql(worker, 'CREATE TABLE mine (id int)')).rejects.toMatchObject(DENIED);
});

test('changes nothing where the user may not make roles', async () => {
  const adminUrl = await oldDatabase();
  const { worker } = await makeRoles(options(adminUrl));
  const given = options(worker);
  await expect(makeRoles(given)).rejects.toMatchObject({ name: 'StoreError', ...DENIED });
  expect(await runSql(adminUrl, `SELECT 1 FROM pg_roles WHERE rolname LIKE '${given.prefix}%'`)).toEqual([]);
});

test('makes them once where three start at once', async () => {
  const given = options(await oldDatabase());
  const made = await Promise.all([makeRoles(given), makeRoles(given), makeRoles(given)]);
  for (const { worker } of made) expect(await runSql(worker, COUNT)).toEqual([{ n: 0 }]);
});

test('sends no password to the server, which may log what it is sent', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  const postgres = await startPostgres({ dir, port: 0, args: ['-c', 'log_statement=all'] });
  onTestFinished(() => postgres.stop());
  const given = options(postgres.url);
  const { worker } = await makeRoles(given);
  expect(await runSql(worker, 'SELECT current_user AS name')).toEqual([{ name: `${given.prefix}_worker` }]);
  const log = await readFile(`${dir}.log`, 'utf8');
  expect(log).toContain('CREATE ROLE');
  for (const password of Object.values(given.passwords)) expect(log).not.toContain(password);
});
