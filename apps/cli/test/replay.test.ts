import { createStore, type Store } from '@landline/store';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { z } from 'zod';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, recordDeadBodies } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  await recordDeadBodies(
    store,
    Array.from({ length: 5 }, (_, i) => messageBody(`conv_${i}`, `word ${i}`)),
  );
});
afterEach(async () => void (await runSql(database.directUrl, 'DELETE FROM operations')));
afterAll(async () => {
  await store.close();
  await database.drop();
});

/** Runs a command of `landline`. */
async function run(args: string[], more: Partial<CommandContext> = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(args, {
    root: await makeTempFolder(),
    // Nobody is woken: no worker runs here.
    env: { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), USER: 'me' },
    print: (line) => output.push(line),
    printError: (line) => errors.push(line),
    width: 120,
    ...more,
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}

/** Plays the worker: ends the next operation with this status. */
async function endNext(status: 'done' | 'cancelled' | 'failed', message: string | null = null) {
  const claimed = await vi.waitUntil(() => store.operations.claim('replay', 60_000), { timeout: 20_000, interval: 20 });
  const progress = { total: claimed.total, done: 4, failed: 1, message, checkpoint: null };
  await store.operations.finish(claimed, progress, status);
  return claimed;
}

describe('a plan', () => {
  test('counts what would be replayed, and changes nothing', async () => {
    const { code, output, errors } = await run(['replay', '--plan', '--json', '--outcome', 'dead']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(JSON.parse(output)).toEqual({
      total: 5,
      by_type: { 'conversation.message': 5 },
      by_outcome: { dead: 5 },
      first: '2026-01-05T09:00:00.000Z',
      last: '2026-01-05T09:00:00.004Z',
    });
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('is shown to a person in words', async () => {
    expect(await run(['replay', '--plan'])).toEqual({
      code: 0,
      output: [
        '5 events, received from 2026-01-05T09:00:00.000Z to 2026-01-05T09:00:00.004Z',
        '  by type:    5 conversation.message',
        '  by outcome: 5 dead',
      ].join('\n'),
      errors: '',
    });
    expect(await run(['replay', '--plan', '--json', '--text', 'word 3'])).toMatchObject({
      output: expect.stringContaining('"total": 1'),
    });
    expect(await run(['replay', '--plan', '--text', 'nobody said it'])).toMatchObject({ output: 'No event matches.' });
  });
});

describe('without --yes', () => {
  test('and without a terminal it exits with 2, and changes nothing', async () => {
    const { code, errors } = await run(['replay', '--outcome', 'dead']);
    expect(code).toBe(2);
    expect(errors).toContain('--yes does it without asking');
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('any answer but yes changes nothing', async () => {
    const { code, errors } = await run(['replay'], { ask: () => Promise.resolve(false) });
    expect({ code, errors }).toEqual({ code: 0, errors: 'Nothing was changed.' });
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('a person is shown the plan, is asked, and says yes', async () => {
    const ending = endNext('done');
    const { code, output } = await run(['replay'], { ask: () => Promise.resolve(true) });
    expect(code).toBe(0);
    expect(output).toContain('5 events, received from');
    expect(output).toContain('done: 5 of 5, 1 failed');
    await ending;
  });
});

test('what is asked for is written down, with an end: events that come later are no part of it', async () => {
  const before = Date.now();
  const ending = endNext('done', '1 died again (x)');
  const { code, output } = await run([
    'replay',
    '--yes',
    '--json',
    '--rate',
    '7',
    '--since',
    '2026-01-01',
    '--outcome',
    'dead',
  ]);
  expect(code).toBe(0);
  const claimed = await ending;
  expect(claimed).toMatchObject({ total: 5, rate: 7, requestedBy: 'cli:me' });
  expect(claimed.filter).toMatchObject({ since: '2026-01-01T00:00:00.000Z', outcome: 'dead' });
  const { until } = z.looseObject({ until: z.string() }).parse(claimed.filter);
  expect(Date.parse(until)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(until)).toBeLessThanOrEqual(Date.now());
  expect(JSON.parse(output)).toMatchObject({
    id: claimed.id,
    kind: 'replay',
    status: 'done',
    total: 5,
    done: 4,
    failed: 1,
    message: '1 died again (x)',
    rate: 7,
  });
});

test.each(['failed', 'cancelled'] as const)('one that is %s exits with 1', async (status) => {
  const ending = endNext(status, 'because');
  expect(await run(['replay', '--yes'])).toMatchObject({ code: 1, output: expect.stringContaining('because') });
  await ending;
});

test('on a terminal a line shows how far it is, and Ctrl-C leaves it to the worker', async () => {
  const written: string[] = [];
  const write = (bytes: Uint8Array) => Promise.resolve(written.push(Buffer.from(bytes).toString()) > 0);
  const running = run(['replay', '--yes'], { isTerminal: true, write });
  const claimed = await vi.waitUntil(() => store.operations.claim('replay', 60_000), { timeout: 20_000, interval: 20 });
  await store.operations.keep(claimed, { total: 5, done: 2, failed: 0, message: null, checkpoint: null }, 60_000);
  await vi.waitUntil(() => written.some((text) => /running: 2 of 5, \d+\/s, .* left/.test(text)), { timeout: 20_000 });
  process.emit('SIGINT');
  const { code, errors } = await running;
  expect(code).toBe(130);
  expect(errors).toBe(
    `The replay goes on in the worker. To see how far it is: landline operations show ${claimed.id}; to end it: landline operations cancel ${claimed.id}`,
  );
  expect(await store.operations.get(claimed.id)).toMatchObject({ status: 'running' });
});

test('a Redis that cannot be reached is told, and the operation is there all the same', async () => {
  const ending = endNext('done');
  const env = { DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1' };
  const { code, errors } = await run(['replay', '--yes'], { env });
  expect(code).toBe(0);
  expect(errors).toContain('No worker could be woken; one looks by itself every few seconds.');
  await ending;
});

test.each([
  [['--rate', '0'], '--rate takes a whole number from 1 to 1000000, not "0".'],
  [['--rate', 'fast'], '--rate takes a whole number'],
  [['--until', '1h', '--since', '30m'], '--until must be later than since.'],
  [['dead'], 'Unexpected argument'],
])('replay %j is a wrong call', async (args, message) => {
  const { code, errors } = await run(['replay', '--yes', ...args]);
  expect(code).toBe(2);
  expect(errors).toContain(message);
});

const request = () => store.operations.request({ kind: 'replay', filter: { outcome: 'dead' }, total: 5, rate: 2 });

describe('operations', () => {
  test('are listed, the newest first', async () => {
    expect(await run(['operations'])).toEqual({ code: 0, output: 'There are no operations.', errors: '' });
    const [first, second] = [await request(), await request()];
    const { output } = await run(['operations']);
    expect(output.split('\n')).toEqual([
      expect.stringMatching(new RegExp(`${second.id}  replay     planned: 5 events$`)),
      expect.stringMatching(new RegExp(`${first.id}  replay     planned: 5 events$`)),
    ]);
    expect(JSON.parse((await run(['operations', '--json'])).output)).toMatchObject([
      { id: second.id },
      { id: first.id },
    ]);
  });

  test('are shown one by one', async () => {
    const { id } = await request();
    const { output } = await run(['operations', 'show', id]);
    expect(output).toContain('status        planned: 5 events');
    expect(output).toContain('rate          2 a second at most');
    expect(JSON.parse((await run(['operations', 'show', id, '--json'])).output)).toEqual({
      id,
      kind: 'replay',
      filter: { outcome: 'dead' },
      status: 'planned',
      total: 5,
      done: 0,
      failed: 0,
      message: null,
      rate: 2,
      requested_by: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      started_at: null,
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      finished_at: null,
      cancel_requested_at: null,
    });
  });

  test('are cancelled, once', async () => {
    const { id } = await request();
    expect(await run(['operations', 'cancel', id, '--json'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('"status": "cancelled"'),
    });
    expect(await run(['operations', 'cancel', id])).toMatchObject({
      code: 1,
      errors: `The operation ${id} has ended before: it is cancelled.`,
    });
  });

  test('one that does not exist exits with 1, and a wrong call with 2', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    for (const verb of ['show', 'cancel']) {
      expect(await run(['operations', verb, id])).toMatchObject({ code: 1, errors: `There is no operation ${id}.` });
    }
    for (const args of [['show'], ['cancel', 'x'], ['retry', id], ['list', id], ['show', id, id]]) {
      expect((await run(['operations', ...args])).code).toBe(2);
    }
  });
});
