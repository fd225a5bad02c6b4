import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '@landline/local-servers';
import { expect, inject, test } from 'vitest';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { explainDatabaseFault } from '../src/explain-database-fault.ts';
import { runCommand } from '../src/run-command.ts';

const PASSWORD = 'hunter2hunter2';

/** Runs a command, and keeps the answer and the faults apart. */
async function run(argv: string[], env: Record<string, string> = {}, root?: string) {
  const [printed, faults]: [string[], string[]] = [[], []];
  const code = await runCommand(argv, {
    root: root ?? (await makeTempFolder()),
    env,
    print: (line) => printed.push(line),
    printError: (line) => faults.push(line),
    width: 120,
  });
  return { code, printed: printed.join('\n'), faults: faults.join('\n') };
}

/** Makes the URL of a database where no server listens. */
async function awayUrl(): Promise<string> {
  return `postgresql://landline:${PASSWORD}@127.0.0.1:${await chooseQuietPort()}/landline`;
}

test.each([
  [['sql', 'SELECT 1'], 'DATABASE_URL'],
  [['migrate'], 'DATABASE_URL'],
  [['roles', 'roles'], 'ADMIN_DATABASE_URL'],
])('%j exits with 1 while Postgres is away, without password and stack', async (argv, variable) => {
  const { code, printed, faults } = await run(argv, { [variable]: await awayUrl() });
  expect(code).toBe(1);
  expect(faults).not.toBe('');
  expect(`${printed}${faults}`).not.toContain(PASSWORD);
  expect(faults).not.toMatch(/^\s+at /m);
});

test('roles leaves no folder where the roles could not be made', async () => {
  const root = await makeTempFolder();
  const { faults } = await run(['roles', 'roles'], { ADMIN_DATABASE_URL: await awayUrl() }, root);
  expect(faults).toContain('The roles of the database could not be made, and nothing was changed: ');
  expect(await readdir(root)).toEqual([]);
});

test.each(['nonsense', ''])('roles refuses the ADMIN_DATABASE_URL %j, and shows the form', async (url) => {
  expect(await run(['roles', 'roles'], { ADMIN_DATABASE_URL: url })).toEqual({
    code: 1,
    printed: '',
    faults:
      'Set ADMIN_DATABASE_URL to the URL of a user who may make roles: postgresql://user:password@host:5432/database.',
  });
});

test('roles says that its folder cannot be used', async () => {
  const root = await makeTempFolder();
  await writeFile(join(root, 'roles'), 'a file');
  const { code, faults } = await run(['roles', 'roles'], { ADMIN_DATABASE_URL: await awayUrl() }, root);
  expect(code).toBe(1);
  expect(faults).toContain('ENOTDIR');
});

test.each([
  ['SELECT * FROM no_such_table', 'relation "no_such_table" does not exist'],
  ['SELECT FROM WHERE', 'syntax error at or near "WHERE"'],
  ['SELECT 1 / 0', 'division by zero'],
])("sql answers %s with the server's own words, and exits with 1", async (query, words) => {
  const { code, printed, faults } = await run(['sql', query], { READER_DATABASE_URL: inject('databaseUrl') });
  expect([code, printed]).toEqual([1, '']);
  expect(faults).toContain(words);
  expect(faults).not.toMatch(/prisma|\n\s+at /i);
});

test.each([
  ['start', '--nonsense'],
  ['start', 'now'],
  ['migrate', '--force'],
  ['roles', 'roles', '--force'],
  ['sql', '--write', 'SELECT 1'],
  ['context', '--nonsense'],
])('%s %s exits with 2 and prints the usage, and the reason below it', async (...argv) => {
  const { code, printed, faults } = await run(argv);
  expect([code, printed]).toEqual([2, '']);
  expect(faults).toMatch(/^Usage: npm run landline --[^]*\n\nUn(known|expected) .*'[^']+'\.?/);
});

test.each([['sql', 'SELECT 1'], ['migrate'], ['roles', 'roles'], ['send', 'live'], ['context'], ['journal', 'list']])(
  '%s says that .env cannot be read, and exits with 1',
  async (...argv) => {
    const root = await makeTempFolder();
    await mkdir(join(root, '.env'));
    const { code, printed, faults } = await run(argv, {}, root);
    expect([code, printed]).toEqual([1, '']);
    expect(faults).toContain('EISDIR');
  },
);

test.each([
  [['help'], 0, /^Usage: /, /^$/],
  [['nonsense'], 2, /^$/, /^Usage: [^]*\n\nThere is no command "nonsense"\.\n$/],
  [['sql'], 2, /^$/, /^Usage: [^]*\n\nsql takes one query, in quotes\.\n$/],
  [['send', 'nonsense'], 1, /^$/, /^ELEVENLABS_WEBHOOK_SECRET/],
] as const)('the process landline %j exits with %i', async (argv, code, out, err) => {
  const main = join(import.meta.dirname, '..', 'dist', 'main.js');
  const command = `node ${main} ${argv.join(' ')} 2>errors; echo "exit $?"; echo ---; cat errors`;
  const env = { PATH: process.env['PATH'], ELEVENLABS_WEBHOOK_SECRET: '' };
  const { exited, output } = await startProcess({
    command: 'sh',
    args: ['-c', command],
    env,
    cwd: await makeTempFolder(),
  });
  await exited;
  const [, printed, exit, faults] = /^([^]*?)exit (\d+)\n---\n([^]*)$/.exec(output()) ?? [];
  expect(Number(exit)).toBe(code);
  expect(printed).toMatch(out);
  expect(faults).toMatch(err);
});

test.each([
  [new Error('Raw query failed. Code: `42P01`. Message: `relation "a" does not exist`'), 'relation "a" does not exist'],
  [new Error('Raw query failed. Message: `first\nsecond`'), 'first\nsecond'],
  [new Error('  connect ECONNREFUSED  '), 'connect ECONNREFUSED'],
  ['a text', 'a text'],
])('takes from %s the words of Postgres, else the whole message', (fault, words) => {
  expect(explainDatabaseFault(fault)).toBe(words);
});
