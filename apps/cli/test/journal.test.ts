import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createJournal, listJournal } from '@landline/journal';
import type { Delivery } from '@landline/webhook';
import { openQueues } from '@landline/queue';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { readTime } from '../src/journal/read-time.ts';
import { runCommand } from '../src/run-command.ts';
import { writeServices } from '../src/start/services-file.ts';
import { jobSchema } from '../../../packages/queue/test/support/job-schema.ts';

const NOON = Date.UTC(2026, 0, 31, 12);
const MINUTE = 60_000;

function anEvent(body: string): Delivery {
  return { receivedAt: NOON, signedAt: NOON / 1000, secretId: 'ab12', encoding: 'utf8', body };
}

async function run(root: string, argv: string, env: Record<string, string> = {}, onLine = (_line: string) => {}) {
  const lines: string[] = [];
  const print = (line: string) => {
    lines.push(line);
    onLine(line);
  };
  const code = await runCommand(['journal', ...argv.split(' ')], { root, env, print, width: 200 });
  return { code, output: lines.join('\n') };
}

/** Makes a journal in the folder of `npm start`. It has a record each minute from noon on, with the events of one list; its process holds it. */
async function openJournal(root: string, groups: readonly Delivery[][]) {
  let now = NOON;
  const journal = createJournal({
    dir: join(root, '.data', 'journal'),
    limitBytes: 64 * 1024 * 1024,
    retentionHours: 24,
    now: () => now,
    // This clock stands still, so that the journal takes no other journal over meanwhile.
    elapsed: () => NOON,
  });
  await journal.open();
  for (const group of groups) {
    // oxlint-disable-next-line no-await-in-loop -- a minute apart
    (await journal.append(group)).failed();
    now += MINUTE;
  }
  return journal;
}

async function makeJournal(root: string, groups: readonly Delivery[][]): Promise<string> {
  const journal = await openJournal(root, groups);
  await journal.close();
  const files = await listJournal(join(root, '.data', 'journal'));
  return files.at(-1)?.path ?? '';
}

/** Starts a Redis of the test's own, and notes it as the Redis of a running `npm start`. Answers a function that reads its jobs. */
async function startRedisOf(root: string) {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  await writeServices(root, { pid: process.pid, redisUrl: redis.url });
  const queues = openQueues({ redisUrl: redis.url });
  onTestFinished(() => queues.close());
  await queues.ping();
  return async () => (await queues.events.getJobs(['waiting'], 0, -1, true)).map(({ data }) => jobSchema.parse(data));
}

const bodiesOf = (jobs: { events: { body: string }[] }[]) => jobs.map(({ events }) => events.map(({ body }) => body));

test('lists every file with its times, the number of records that Redis lacks, and whether its process is alive', async () => {
  const root = await makeTempFolder();
  const living = await openJournal(root, [[anEvent('a')]]);
  onTestFinished(() => living.close());
  await makeJournal(root, [[anEvent('b')], [anEvent('c'), anEvent('d')]]);
  const { code, output } = await run(root, 'list');
  expect(code).toBe(0);
  const rows = output.split('\n').filter((line) => line.includes('.log'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  const shown = cells.map(([, from, , , pending, held]) => [from, pending, held].join(' '));
  expect(shown.sort()).toEqual(['2026-01-31T12:00:00Z 1 yes', '2026-01-31T12:00:00Z 2 no']);
});

test('lists and verifies the bodies of receivers, and the audio that workers fetched', async () => {
  const root = await makeTempFolder();
  await makeJournal(root, [[anEvent('a')]]);
  const names = ['ab12', 'fetched/cd34'].map((folder, i) => `${folder}/00176722560000${i}-0123456789ab.body`);
  for (const name of names) {
    const path = join(root, '.data', 'spool', name);
    // oxlint-disable-next-line no-await-in-loop -- two files
    await mkdir(dirname(path), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- two files
    await writeFile(path, 'half a body');
  }
  const { output } = await run(root, 'list');
  expect(output.split('\n').flatMap((line) => /\S+\.body/.exec(line) ?? [])).toEqual(names);
  const verified = await run(root, 'verify');
  expect(verified).toMatchObject({ code: 1, output: expect.stringContaining('2 damaged bodies') });
});

test('verifies intact files, and reports a torn end as no damage', async () => {
  const root = await makeTempFolder();
  const path = await makeJournal(root, [[anEvent('a')], [anEvent('b'), anEvent('c')]]);
  expect(await run(root, 'verify')).toMatchObject({
    code: 0,
    output: expect.stringContaining('2 records, 3 events, intact'),
  });
  const { length } = await readFile(path);
  await truncate(path, length - 1);
  // The mark says that the whole file was on the disk, so the missing byte is damage.
  expect(await run(root, 'verify')).toMatchObject({ code: 1, output: expect.stringContaining('DAMAGED') });
  await rm(`${path}.mark`);
  const { code, output } = await run(root, 'verify');
  expect(code).toBe(0);
  expect(output).toMatch(new RegExp(`1 record, 1 event, torn at the end: bytes \\d+ to ${length - 1}$`, 'm'));
});

test('reports damage in the middle of a file, and enqueues the events after it', async () => {
  const root = await makeTempFolder();
  const path = await makeJournal(root, [[anEvent('first')], [anEvent('second')], [anEvent('third')]]);
  const bytes = await readFile(path);
  const at = bytes.indexOf('second');
  bytes.write('X', at);
  await writeFile(path, bytes);
  const verified = await run(root, 'verify');
  expect(verified.code).toBe(1);
  const [, from, to] = /2 records, 2 events, DAMAGED: bytes (\d+) to (\d+)$/m.exec(verified.output) ?? [];
  expect(Number(from)).toBeLessThan(at);
  expect(Number(to)).toBe(at + 'second'.length);

  const jobs = await startRedisOf(root);
  const enqueued = await run(root, 'enqueue --since 2026-01-31');
  expect(enqueued).toMatchObject({ code: 1, output: expect.stringContaining(`DAMAGED: bytes ${from} to ${to}`) });
  expect(bodiesOf(await jobs()).flat()).toEqual(['first', 'third']);
});

test('reports a file that does not begin as a journal file does', async () => {
  const root = await makeTempFolder();
  const path = await makeJournal(root, [[anEvent('a')]]);
  const { length } = await readFile(path);
  await writeFile(path, Buffer.alloc(length));
  expect(await run(root, 'verify')).toMatchObject({
    code: 1,
    output: expect.stringContaining(`DAMAGED: bytes 0 to ${length}`),
  });
  const dry = await run(root, 'enqueue --since 2026-01-31 --dry-run');
  expect(dry).toMatchObject({ code: 1, output: expect.stringContaining(`DAMAGED: bytes 0 to ${length}`) });
});

test('enqueues the events of a time, in jobs of at most a batch; the dry run only counts them', async () => {
  const root = await makeTempFolder();
  const minutes = [0, 1, 2, 3].map((minute) => [anEvent(`${minute}a`), anEvent(`${minute}b`), anEvent(`${minute}c`)]);
  const path = await makeJournal(root, minutes);
  const before = await readFile(path);
  const jobs = await startRedisOf(root);
  const line = 'enqueue --since 2026-01-31T12:01:00Z --until 2026-01-31T12:03:00Z';
  const dry = await run(root, `${line} --dry-run`);
  expect(dry.code).toBe(0);
  expect(dry.output).toMatch(/\.log: 2 records, 6 events, 12 bytes would be enqueued\n.*nothing was changed/);
  expect(await jobs()).toEqual([]);

  const done = await run(root, line, { BATCH_MAX_EVENTS: '4' });
  expect(done.code).toBe(0);
  expect(done.output).toMatch(/\.log: 2 records, 6 events, 12 bytes enqueued\n/);
  expect(bodiesOf(await jobs())).toEqual([
    ['1a', '1b', '1c', '2a'],
    ['2b', '2c'],
  ]);
  const [event] = (await jobs())[0]?.events ?? [];
  expect(event).toEqual({ ...anEvent('1a'), origin: 'replay' });
  expect(await readFile(path)).toEqual(before);

  await run(root, line, { BATCH_MAX_BYTES: '1024' });
  expect(bodiesOf(await jobs()).slice(2)).toEqual([['1a', '1b', '1c', '2a', '2b', '2c']]);
});

test('reports, counts and skips an event that is no valid delivery', async () => {
  const root = await makeTempFolder();
  const nameless = anEvent('nobody signed this');
  Reflect.deleteProperty(nameless, 'secretId');
  await makeJournal(root, [[anEvent('good'), nameless, anEvent('good too')]]);
  const jobs = await startRedisOf(root);
  const { code, output } = await run(root, 'enqueue --since 2026-01-31');
  expect(code).toBe(1);
  expect(output).toContain('skipped an event of 2026-01-31T12:00:00.000Z');
  expect(output).toContain('secretId');
  expect(output).not.toContain('nobody signed this');
  expect(output).toContain('1 skipped');
  expect(bodiesOf(await jobs())).toEqual([['good', 'good too']]);
});

test.each([
  ['', 2, 'journal takes one of'],
  ['nonsense', 2, 'journal takes one of'],
  ['toString', 2, 'journal takes one of'],
  ['enqueue', 2, '--since takes a time such as'],
  ['enqueue --since yesterday', 2, 'not "yesterday"'],
  ['enqueue --since 2026-01-31 --until 2026-01-30', 2, '--until must be later'],
  ['enqueue --since 2h', 1, 'No Redis: run npm start in another terminal, or set REDIS_URL'],
])('journal %s exits with %i and says %j', async (argv, wanted, text) => {
  const root = await makeTempFolder();
  await makeJournal(root, [[anEvent('a')]]);
  const { code, output } = await run(root, argv);
  expect(code).toBe(wanted);
  expect(output).toContain(text);
});

test.each([
  [{}, 'There is no journal in'],
  [{ JOURNAL_DIR: '' }, 'JOURNAL_DIR is set to nothing'],
  [{ JOURNAL_DIR: 'elsewhere' }, '/elsewhere: a receiver makes it when it starts'],
])('without a journal, and %j, says %j', async (env, text) => {
  const { code, output } = await run(await makeTempFolder(), 'list', env);
  expect(code).toBe(1);
  expect(output).toContain(text);
});

test('says when Redis is away, without its password', async () => {
  const root = await makeTempFolder();
  await makeJournal(root, [[anEvent('a')]]);
  const env = { REDIS_URL: 'redis://:opensesame@127.0.0.1:1' };
  const { code, output } = await run(root, 'enqueue --since 2026-01-31', env);
  expect(code).toBe(1);
  expect(output).toMatch(/Redis at 127\.0\.0\.1:1 takes nothing: .*ECONNREFUSED/);
  expect(output).not.toContain('opensesame');
});

test('says how many events were enqueued when Redis goes away', async () => {
  const root = await makeTempFolder();
  await makeJournal(root, [[anEvent('a'), anEvent('b')]]);
  await makeJournal(root, [[anEvent('c'), anEvent('d')]]);
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  let killed: Promise<void> | undefined;
  const killAfterFirst = (line: string) => {
    if (line.includes('.log: ')) killed ??= redis.kill();
  };
  const env = { REDIS_URL: redis.url };
  const { code, output } = await run(root, 'enqueue --since 2026-01-31', env, killAfterFirst);
  await killed;
  expect(code).toBe(1);
  expect(output).toMatch(/^2 events were enqueued; then it stopped: .+\nRun the same again/m);

  await redis.restart();
  expect(await run(root, 'enqueue --since 2026-01-31', env)).toMatchObject({
    code: 0,
    output: expect.stringContaining('2 records, 4 events, 4 bytes enqueued.'),
  });
});

test.each([
  ['30m', NOON - 30 * MINUTE],
  ['2h', NOON - 120 * MINUTE],
  ['1d', NOON - 1440 * MINUTE],
  ['2026-01-31', NOON - 720 * MINUTE],
  ['2026-01-31 11:59', NOON - MINUTE],
  ['2026-01-31T11:59:00', NOON - MINUTE],
  ['2026-01-31T12:59:00.5+01:00', NOON - MINUTE + 500],
])('reads the time %s', (text, at) => {
  expect(readTime('--since', text, NOON)).toBe(at);
});

test.each(['', '5', '2w', '-2h', '31.01.2026', '2026-13-01', '2026-01-31T25:00Z', 'undefined'])(
  'refuses the time "%s"',
  (text) => {
    expect(() => readTime('--since', text, NOON)).toThrow(`not "${text}"`);
  },
);
