import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createJournal, listJournal } from '@landline/journal';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { runCommand } from '../src/run-command.ts';

const NOON = Date.UTC(2026, 0, 31, 12);

async function run(root: string, argv: string, env: Record<string, string> = {}) {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const code = await runCommand(['journal', ...argv.split(' ')], { root, env, print, width: 200 });
  return { code, output: lines.join('\n') };
}

/** Makes a journal with one event in the folder of `npm start`. Answers its root and the path of its file. */
async function makeJournal() {
  const root = await makeTempFolder();
  const dir = join(root, '.data', 'journal');
  const limits = { limitBytes: 64 * 1024 * 1024, retentionHours: 24 };
  const journal = createJournal({ dir, ...limits, now: () => NOON, elapsed: () => NOON });
  await journal.open();
  const event = { receivedAt: NOON, signedAt: NOON / 1000, secretId: 'ab12', encoding: 'utf8', body: 'a' } as const;
  (await journal.append([event])).failed();
  await journal.close();
  return { root, dir, path: (await listJournal(dir))[0]?.path ?? '' };
}

test('lists and verifies an empty journal', async () => {
  const root = await makeTempFolder();
  const dir = join(root, '.data', 'journal');
  await mkdir(dir, { recursive: true });
  expect(await run(root, 'list')).toEqual({ code: 0, output: `${dir}:\n(0 rows)` });
  expect(await run(root, 'verify')).toEqual({ code: 0, output: `0 files, 0 records, 0 events in ${dir}.` });
  expect(await run(root, 'enqueue --since 1d --dry-run')).toEqual({
    code: 0,
    output: '0 records, 0 events, 0 bytes would be enqueued; nothing was changed.',
  });
});

test('reads the journal of JOURNAL_DIR, relative to the root, also from .env', async () => {
  const { root, dir } = await makeJournal();
  const elsewhere = await makeTempFolder();
  expect((await run(elsewhere, 'list', { JOURNAL_DIR: dir })).output).toContain('(1 row)');
  expect((await run(root, 'list', { JOURNAL_DIR: '.data/journal' })).output).toContain('(1 row)');
  await writeFile(join(elsewhere, '.env'), `JOURNAL_DIR=${dir}\n`);
  expect((await run(elsewhere, 'list')).output).toContain('(1 row)');
});

test('leaves foreign files and folders out, and as they are', async () => {
  const { root, dir, path } = await makeJournal();
  const foreign = [
    join(dir, 'README.txt'),
    join(dir, 'a.log'),
    join(dirname(path), 'notes.txt'),
    join(dirname(path), 'x.log'),
  ];
  await Promise.all(foreign.map((file) => writeFile(file, 'mine')));
  await mkdir(join(dir, 'lost+found'));
  const before = await readdir(dir, { recursive: true });
  expect((await run(root, 'list')).output).toContain('(1 row)');
  expect((await run(root, 'verify')).output).toMatch(/^1 file, 1 record, 1 event in /m);
  const dry = await run(root, 'enqueue --since 2026-01-31 --dry-run');
  expect(dry).toMatchObject({
    code: 0,
    output: expect.stringContaining('1 record, 1 event, 1 byte would be enqueued;'),
  });
  expect((await readdir(dir, { recursive: true })).toSorted()).toEqual(before.toSorted());
});

test.each([
  ['empty', 0, '0 records, 0 events, intact'],
  ['shorter than its beginning', 3, '0 records, 0 events, torn at the end: bytes 0 to 3'],
])('a file that is %s is no damage: its process died before it wrote a record', async (_, length, found) => {
  const { root, path } = await makeJournal();
  await rm(`${path}.mark`, { force: true });
  await truncate(path, length);
  const { code, output } = await run(root, 'verify');
  expect([code, output.split('\n')[0]]).toEqual([0, expect.stringContaining(found)]);
  expect((await run(root, 'enqueue --since 2026-01-31 --dry-run')).code).toBe(0);
});

test('says that a journal cannot be read, and as whom to read it', async () => {
  const root = await makeTempFolder();
  await writeFile(join(root, 'journal'), 'a file');
  for (const command of ['list', 'verify', 'enqueue --since 1d --dry-run']) {
    const { code, output } = await run(root, command, { JOURNAL_DIR: 'journal' });
    expect(code).toBe(1);
    expect(output).toMatch(
      /^The journal in .*journal cannot be read: .*ENOTDIR.*Read it as the user whom the receiver/,
    );
  }
});

test.each([
  ['list all', "'all'"],
  ['list --all', "'--all'"],
  ['verify file.log', "'file.log'"],
  ['verify --fix', "'--fix'"],
  ['enqueue --since 1d now', "'now'"],
  ['enqueue --since', "'--since <value>' argument missing"],
  ['enqueue --since 2999-01-01', '--since lies in the future.'],
  ['enqueue --since 2h --until 1d', '--until must be later than --since.'],
  ['enqueue --since 2h --until soon', '--until takes a time such as 2026-01-31T14:30:00Z'],
])('journal %s is a wrong command line: exit code 2, and says %s', async (argv, advice) => {
  const { root } = await makeJournal();
  const { code, output } = await run(root, argv);
  expect(code).toBe(2);
  expect(output).toContain(advice);
});

test.each([
  [{ BATCH_MAX_EVENTS: 'many' }, '--dry-run', 'BATCH_MAX_EVENTS'],
  [{ BATCH_MAX_BYTES: '-1' }, '--dry-run', 'BATCH_MAX_BYTES'],
  [{ REDIS_URL: 'nonsense' }, '--until 2999-01-01', 'REDIS_URL'],
])('enqueues nothing with %j, and names the variable', async (env, option, name) => {
  const { root } = await makeJournal();
  const { code, output } = await run(root, `enqueue --since 2026-01-31 ${option}`, env);
  expect(code).toBe(1);
  expect(output).toContain(name);
  expect(output).not.toContain('enqueued');
});
