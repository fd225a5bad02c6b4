import { createStore, type Store } from '@landline/store';
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, recordDeadBodies } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

const DAY = 86_400_000;
let database: TestDatabase;
let store: Store;
const startOfToday = Math.floor(Date.now() / DAY) * DAY;
const at = (days: number) => startOfToday - days * DAY + 1_000;
const iso = (ms: number) => new Date(ms).toISOString();

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  // The databases of tests have partitions for the time of most tests' events.
  await runSql(
    database.directUrl,
    `SELECT landline_drop_body_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-02-01', '1 day') AS day`,
  );
  for (const days of [100, 91, 90, 1]) {
    // oxlint-disable-next-line no-await-in-loop -- one day after the other
    await recordDeadBodies(store, [messageBody(`conv_${days}`, 'word')], at(days));
  }
  const insert = `INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, delete_transcript_at) VALUES`;
  await runSql(
    database.directUrl,
    `INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
       SELECT gen_random_uuid(), now(), '${iso(at(500))}', 'webhook', 'applied', 0 FROM generate_series(1, 3);
     ${insert} ('due', 'done', '{}', now(), now(), now(), now() - interval '1 minute'),
       ('later', 'done', '{}', now(), now(), now(), '${iso(startOfToday + 9 * DAY)}');
     INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
       VALUES (gen_random_uuid(), '${iso(at(3))}', 'c', 'c', 'a', '{}')`,
  );
});
afterEach(async () => void (await runSql(database.directUrl, 'DELETE FROM operations')));
afterAll(async () => {
  await store.close();
  await database.drop();
});

/** Runs a command of `landline`. */
async function run(args: string[], more: Partial<CommandContext> = {}, env: Record<string, string> = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(args, {
    root: await makeTempFolder(),
    // Nobody is woken: no worker runs here.
    env: { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), USER: 'me', ...env },
    print: (line) => output.push(line),
    printError: (line) => errors.push(line),
    width: 120,
    ...more,
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}

test('a plan says what would go now by place, and when the next goes; it changes nothing', async () => {
  const { code, output, errors } = await run(['retention', '--plan', '--json']);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(JSON.parse(output)).toEqual({
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    // Two days of bodies, three ids and a transcript.
    total: 6,
    places: {
      transcripts: { days: null, due: 1, next_at: iso(startOfToday + 9 * DAY) },
      audio: { days: null, due: 0, next_at: null },
      conversations: { days: null, due: 0, next_at: null },
      recordings: { days: null, due: 0, bytes: 0, next_at: null },
      bodies: { days: 90, due: 2, bytes: expect.any(Number), dead: 2, next_at: iso(startOfToday + DAY) },
      events: { days: 400, due: 3, by_outcome: { applied: 3 }, next_at: iso(startOfToday + 301 * DAY) },
      rejected: { days: 14, due: 0, next_at: iso(at(3) + 14 * DAY) },
      files: { days: null, due: 0, next_at: null },
    },
  });
  expect(await store.operations.list(1)).toEqual([]);
  expect(await store.retention.bodyDays()).toContain(iso(at(100)).slice(0, 10));
});

test('a plan is shown to a person in words, with the days of the variables', async () => {
  const env = { CONVERSATION_RETENTION_DAYS: '30', BODY_RETENTION_DAYS: '91' };
  const { output } = await run(['retention', '--plan'], {}, env);
  expect(output.split('\n')).toEqual([
    'Due now: 5',
    `        1  transcripts, by order of the call’s account; the next at ${iso(startOfToday + 9 * DAY)}`,
    '        0  conversations’ audio, by order of the call’s account',
    expect.stringMatching(/^ {8}0 {2}conversations; kept for 30 days, the next at /),
    '        0  recordings; kept',
    expect.stringMatching(
      /^ {8}1 {2}days of bodies; [\d.]+ MB, 1 dead event among them; kept for 91 days, the next at /,
    ),
    expect.stringMatching(/^ {8}3 {2}ids of the ledger; 3 applied; kept for 400 days, the next at /),
    expect.stringMatching(/^ {8}0 {2}refused requests; kept for 14 days, the next at /),
    '        0  files that could not be removed before',
  ]);
});

test('without --yes and without a terminal it exits with 2; any answer but yes changes nothing', async () => {
  const { code, errors } = await run(['retention']);
  expect(code).toBe(2);
  expect(errors).toContain('--yes does it without asking');
  expect(await run(['retention'], { ask: () => Promise.resolve(false) })).toMatchObject({
    code: 0,
    output: expect.stringContaining('Due now: 6'),
    errors: 'Nothing was changed.',
  });
  expect(await store.operations.list(1)).toEqual([]);
});

test('a worker is asked for what the plan said, and how it ended is printed', async () => {
  const ending = vi.waitUntil(() => store.operations.claim('retention', 60_000), { timeout: 20_000, interval: 20 });
  const running = run(['retention', '--yes', '--json'], {}, { RECORDING_RETENTION_DAYS: '7' });
  const claimed = await ending;
  const message = 'Deleted: 2 days of bodies.';
  await store.operations.finish(claimed, { total: 6, done: 6, failed: 0, message, checkpoint: null }, 'done');
  const { code, output } = await running;
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    kind: 'retention',
    filter: { body_days: '90', ledger_days: '400', rejected_days: '14', recording_days: '7' },
    status: 'done',
    done: 6,
    message,
    requested_by: 'cli:me',
  });
});

test.each([
  [{ LEDGER_RETENTION_DAYS: '60' }, 'LEDGER_RETENTION_DAYS (60) must be at least BODY_RETENTION_DAYS (90)'],
  [{ BODY_RETENTION_DAYS: '1' }, 'BODY_RETENTION_DAYS must be a whole number of days from 7'],
])('%j is no policy', async (env, message) => {
  expect(await run(['retention', '--yes'], {}, env)).toMatchObject({
    code: 1,
    errors: expect.stringContaining(message),
  });
  expect(await store.operations.list(1)).toEqual([]);
});

test('retention takes no words', async () => {
  expect((await run(['retention', 'all', '--yes'])).code).toBe(2);
});
