import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { startPrivatePostgres } from '../../../test/support/private-postgres.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';
import { writeServices } from '../src/start/services-file.ts';

async function run(argv: string[], env: Record<string, string> = {}, root?: string) {
  const lines: string[] = [];
  const context = {
    root: root ?? (await makeTempFolder()),
    env,
    print: (line: string) => lines.push(line),
    width: 120,
  };
  return { code: await runCommand(argv, context), output: lines.join('\n') };
}

test.each([
  [['nonsense'], 2, 'There is no command "nonsense".'],
  [['toString'], 2, 'There is no command "toString".'],
  [['sql'], 2, 'sql takes one query, in quotes.'],
  [['sql', 'SELECT', '1'], 2, 'sql takes one query, in quotes.'],
  [['sql', '--nonsense', 'SELECT 1'], 2, '--nonsense'],
  [['sql', 'SELECT 1;'], 1, 'No database: run npm start'],
  [['roles'], 2, 'roles takes one folder'],
  [['roles', 'a', 'b'], 2, 'roles takes one folder'],
  [['sql', 'COMMIT; DELETE FROM conversations'], 2, 'sql takes one query'],
  [['sql', 'SELECT 1; SELECT 2'], 2, 'sql takes one query'],
  [['sql', "COPY (SELECT 1) TO PROGRAM 'true'"], 2, 'sql takes one query'],
  [['sql', ''], 2, 'sql takes one query, in quotes.'],
  [['sql', "/* harmless */ -- indeed\n COPY (SELECT 1) TO '/tmp/x'"], 2, 'sql takes one query'],
  [['sql', "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''true'''; END $$"], 2, 'sql takes one query'],
  [['sql', `/* a */ -- copy of${' --'.repeat(50)}\n (SELECT 1)`], 1, 'No database: run npm start'],
  [['migrate', '--dry-run'], 2, "Unknown option '--dry-run'"],
  [['migrate', 'now'], 2, 'now'],
  [['start', '--nonsense'], 2, "Unknown option '--nonsense'"],
  [['send', '--help'], 0, 'Usage:'],
  [['--help'], 0, 'Usage:'],
  [['help'], 0, 'Usage:'],
  [[], 0, 'Usage:'],
  [['sql', 'SELECT 1'], 1, 'No database: run npm start'],
  [['migrate'], 1, 'No database: run npm start'],
])('%j exits with %i and says %j', async (argv, code, text) => {
  const result = await run(argv);
  expect(result.code).toBe(code);
  expect(result.output).toContain(text);
  expect(result.output.includes('Usage: npm run landline')).toBe(code !== 1);
});

test.each([
  [['provider', '--help']],
  [['--help', 'provider']],
  [['help', 'provider']],
  [['provider', '--enable-retries', '-h']],
])('%j prints the help of that command alone', async (argv) => {
  const { code, output } = await run(argv);
  expect(code).toBe(0);
  expect(output).toMatch(
    /^Usage: npm run landline --\n\n {2}provider \[--json\] .*\n {2}provider --enable-retries .*$/,
  );
});

test('of a wrong call the reason is last, below the help of that command alone', async () => {
  const { output } = await run(['reconcile', '--everything']);
  expect(output).toMatch(/^Usage: npm run landline --\n\n {2}reconcile [^]*\n\nUnknown option '--everything'\.?$/);
  expect(output.split('\n').length).toBeLessThan(12);
  // The filter is shown to whoever may type one.
  expect((await run(['replay', '--help'])).output).toMatch(/ {2}replay [^]*\n\nFilter of events and replay/);
  expect((await run(['nonsense'])).output).toMatch(/\n\nThere is no command "nonsense"\.$/);
});

test('migrates an empty database, then finds it up to date', async () => {
  const adminUrl = inject('databaseUrl');
  await runSql(adminUrl, 'CREATE DATABASE cli_migrate');
  const url = new URL(adminUrl);
  url.pathname = 'cli_migrate';
  // DATABASE_URL stands for a pooler, which is away here.
  const away = 'postgresql://nobody@127.0.0.1:1/nothing';
  const first = await run(['migrate'], { DATABASE_URL: away, DIRECT_URL: url.href });
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('Applied:') });
  expect(await runSql(url.href, 'SELECT * FROM conversations')).toEqual([]);
  expect(await run(['migrate'], { DATABASE_URL: url.href })).toEqual({ code: 0, output: 'The tables are up to date.' });
  await runSql(adminUrl, 'DROP DATABASE cli_migrate');
});

test("migrates as the tables' owner where DIRECT_URL names it, and takes either URL from a file", async () => {
  const database = await createDatabase(inject('databaseUrl'));
  const root = await makeTempFolder();
  await writeFile(join(root, 'owner'), `${database.url}\n`);
  await writeFile(join(root, '.env'), 'DATABASE_URL=postgresql://nobody@127.0.0.1:1/none\n');
  const env = { DIRECT_URL_FILE: join(root, 'owner') };
  expect(await run(['migrate'], env, root)).toEqual({ code: 0, output: 'The tables are up to date.' });
  expect((await run(['migrate'], { DATABASE_URL_FILE: join(root, 'owner') }, root)).code).toBe(0);
  await database.drop();
});

test('says which variables of a secret are at odds, and which file cannot be read', async () => {
  const root = await makeTempFolder();
  const file = join(root, 'missing');
  await writeFile(join(root, '.env'), `DATABASE_URL_FILE=${file}\nREDIS_URL=redis://h\n`);
  const unreadable = await run(['sql', 'SELECT 1'], {}, root);
  expect(unreadable).toMatchObject({
    code: 1,
    output: expect.stringContaining(`DATABASE_URL_FILE: cannot read ${file}`),
  });
  const both = { DATABASE_URL: 'postgresql://u:hunter2@h/d', DATABASE_URL_FILE: file };
  expect(await run(['sql', 'SELECT 1'], both, root)).toEqual({
    code: 1,
    output: 'DATABASE_URL and DATABASE_URL_FILE are both set: keep one of them',
  });
});

test('makes the roles and writes their URLs to a folder for their owner alone, and may be repeated', async () => {
  const server = await startPrivatePostgres();
  const root = await makeTempFolder();
  const admin = new URL(server.url);
  const env = { ADMIN_DATABASE_URL: server.url, PGPASSWORD: 'not needed' };
  const folder = join(root, 'roles');
  const first = await run(['roles', folder], env, root);
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining(join(folder, 'worker', 'url')) });
  expect(first.output).not.toContain(admin.password);
  const urlOf = async (role: string) => (await readFile(join(folder, role, 'url'), 'utf8')).trim();
  const worker = await urlOf('worker');
  // The second time the password comes in PGPASSWORD, as in docker-compose.yml.
  const { password } = admin;
  admin.password = '';
  expect((await run(['roles', folder], { ADMIN_DATABASE_URL: admin.href, PGPASSWORD: password }, root)).code).toBe(0);
  expect(await urlOf('worker')).toBe(worker);
  for (const role of ['owner', 'worker', 'reader']) {
    expect(await runSql(await urlOf(role), 'SELECT current_user AS name')).toEqual([{ name: `landline_${role}` }]);
    expect((await stat(join(folder, role, 'url'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, role, 'password'))).mode & 0o777).toBe(0o600);
  }
});

const workerIn = async (folder: string) => (await readFile(join(folder, 'worker', 'url'), 'utf8')).trim();

test('gives existing roles no new passwords from another folder, unless --new-passwords is there', async () => {
  const server = await startPrivatePostgres();
  const root = await makeTempFolder();
  const env = { ADMIN_DATABASE_URL: server.url };
  const [mine, other] = [join(root, 'mine'), join(root, 'other')];
  expect((await run(['roles', mine], env, root)).code).toBe(0);
  // The second call must be refused as well: the first one must not have left passwords in the folder.
  for (let i = 0; i < 2; i++) {
    const refused = await run(['roles', other], env, root);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('landline_owner, landline_worker, ') });
    expect(refused.output).toContain('--new-passwords');
    expect(await runSql(await workerIn(mine), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }
  expect((await run(['roles', other, '--new-passwords'], env, root)).code).toBe(0);
  expect(await runSql(await workerIn(other), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await expect(runSql(await workerIn(mine), 'SELECT 1 AS one')).rejects.toThrow(/password/);
});

test('says that ADMIN_DATABASE_URL is missing', async () => {
  const root = await makeTempFolder();
  expect(await run(['roles', 'roles'], {}, root)).toMatchObject({
    code: 1,
    output: expect.stringContaining('ADMIN_DATABASE_URL'),
  });
});

test('shows rows of the database in .env or of the running Landline, and cannot change them', async () => {
  const database = await createDatabase(inject('databaseUrl'));
  const root = await makeTempFolder();
  await writeServices(root, { pid: process.pid, databaseUrl: database.url });
  const query = 'SELECT 1 AS one, current_database() AS name';
  const result = await run(['sql', query], {}, root);
  expect(result.code).toBe(0);
  expect(result.output).toMatch(/ one \| name\s+-+\+-+\s+1\s+\| test_\w+\s+\(1 row\)/);
  const refused = await run(['sql', 'CREATE TABLE mine (id int)'], {}, root);
  expect(refused.code).toBe(2);
  expect(refused.output).toContain('begins with one of SELECT');
  const elsewhere = await makeTempFolder();
  await writeFile(join(elsewhere, '.env'), `DATABASE_URL=${database.url}\n`);
  expect((await run(['sql', query], {}, elsewhere)).code).toBe(0);
  await database.drop();
});
