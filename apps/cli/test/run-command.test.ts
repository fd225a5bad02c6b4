import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
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
  [['sql', 'COMMIT; DELETE FROM conversations'], 2, 'sql takes one SELECT'],
  [['sql', 'SELECT 1; SELECT 2'], 2, 'sql takes one SELECT'],
  [['sql', "COPY (SELECT 1) TO PROGRAM 'true'"], 2, 'sql takes one SELECT'],
  [['sql', ''], 2, 'sql takes one query, in quotes.'],
  [['sql', "/* harmless */ -- indeed\n COPY (SELECT 1) TO '/tmp/x'"], 2, 'sql takes one SELECT'],
  [['sql', "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''true'''; END $$"], 2, 'sql takes one SELECT'],
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

test('migrates an empty database, then finds it up to date', async () => {
  const adminUrl = inject('databaseUrl');
  await runSql(adminUrl, 'CREATE DATABASE cli_migrate');
  const url = new URL(adminUrl);
  url.pathname = 'cli_migrate';
  // Past a pooler, which is away here.
  const away = 'postgresql://nobody@127.0.0.1:1/nothing';
  const first = await run(['migrate'], { DATABASE_URL: away, DIRECT_URL: url.href });
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('Applied:') });
  expect(await runSql(url.href, 'SELECT * FROM conversations')).toEqual([]);
  expect(await run(['migrate'], { DATABASE_URL: url.href })).toEqual({ code: 0, output: 'The tables are up to date.' });
  await runSql(adminUrl, 'DROP DATABASE cli_migrate');
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
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('read-only');
  const elsewhere = await makeTempFolder();
  await writeFile(join(elsewhere, '.env'), `DATABASE_URL=${database.url}\n`);
  expect((await run(['sql', query], {}, elsewhere)).code).toBe(0);
  await database.drop();
});
