import { createStore, type Store } from '@landline/store';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { eventsOfCall, PERSON } from '../../../packages/store/test/support/a-person.ts';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  await store.apply(eventsOfCall('c1'));
});
afterEach(async () => void (await runSql(database.directUrl, 'DELETE FROM operations; DELETE FROM erasures')));
afterAll(async () => {
  await store.close();
  await database.drop();
});

async function run(args: string[], more: Partial<CommandContext> = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(['erase', ...args], {
    root: await makeTempFolder(),
    // Nobody is woken: no worker runs here.
    env: { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), USER: 'me', JOURNAL_RETENTION_HOURS: '48' },
    print: (line) => output.push(line),
    printError: (line) => errors.push(line),
    width: 120,
    ...more,
  });
  return { code, output: output.join('\n'), errors: errors.join('\n') };
}

/** Plays the worker: ends the next erasure with this status. */
async function endNext(status: 'done' | 'cancelled' | 'failed') {
  const claimed = await vi.waitUntil(() => store.operations.claim('erase', 60_000), { timeout: 20_000, interval: 20 });
  await store.erasing.begin({ id: claimed.id, by: 'user', hash: 'h' });
  await store.erasing.count(claimed.id, { conversations: 1, messages: 2 });
  await store.erasing.end(claimed.id, { journal_until: '2026-12-01T00:00:00.000Z' });
  await store.operations.finish(claimed, { total: 1, done: 1, failed: 0, message: null, checkpoint: null }, status);
  return claimed;
}

describe('a plan', () => {
  test('counts what would be forgotten, and changes nothing', async () => {
    const { code, output } = await run(['--user', PERSON.user, '--plan', '--json']);
    expect([code, JSON.parse(output)]).toEqual([
      0,
      {
        by: 'user',
        conversations: 1,
        erased_before: 0,
        messages: 2,
        tool_calls: 1,
        commands: 1,
        events: 6,
        recordings: 1,
        profiles: 1,
        users: 1,
      },
    ]);
    expect((await run(['--number', '+1 202 555 0147', '--plan'])).output).toMatch(
      /^1 conversation with 2 messages, 1 tool call, 1 command and 1 recording\n {2}bodies of 6 events of the ledger; the ids stay\n {2}1 profile\n/,
    );
    expect(await store.operations.list(1)).toEqual([]);
  });

  test.each([['conversation'], ['user'], ['number']])('of a %s that nobody has exits with 1', async (by) => {
    const value = by === 'number' ? '+12025550199' : 'nobody';
    expect(await run([`--${by}`, value, '--plan'])).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^There is no /),
    });
  });
});

describe('without --yes', () => {
  test('and without a terminal it exits with 2, and changes nothing', async () => {
    expect(await run(['--user', PERSON.user])).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--yes does it without asking'),
    });
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('any answer but yes changes nothing', async () => {
    expect(await run(['--user', PERSON.user], { ask: () => Promise.resolve(false) })).toMatchObject({
      code: 0,
      errors: 'Nothing was changed.',
    });
    expect(await store.operations.list(1)).toEqual([]);
  });
});

test('the worker is told whom, the end says how much and until when, and the row names nobody', async () => {
  const ending = endNext('done');
  const { code, output } = await run(['--number', '+1 (202) 555-0147', '--yes']);
  const claimed = await ending;
  expect(claimed).toMatchObject({
    total: 1,
    requestedBy: 'cli:me',
    filter: {
      by: 'number',
      subject: PERSON.number,
      journal_hours: '48',
      subject_hash: expect.stringMatching(/^\$scrypt\$/),
    },
  });
  expect(code).toBe(0);
  expect(output).toContain('forgotten     1 conversation, 2 messages');
  expect(output).toContain('journals      have nothing of it from 2026-12-01T00:00:00.000Z on');
  expect(output).toContain('ElevenLabs    still has its copy: docs/erasure.md says what to delete there');
  expect(output).not.toContain(PERSON.number);
});

test.each(['failed', 'cancelled'] as const)('one that is %s exits with 1', async (status) => {
  const ending = endNext(status);
  expect(await run(['--user', PERSON.user, '--yes'])).toMatchObject({
    code: 1,
    output: expect.stringContaining(status),
  });
  await ending;
});

test.each([
  [[], 'erase takes one of --conversation <id>, --user <id> and --number <n>.'],
  [['--user', 'u', '--number', '1'], 'erase takes one of'],
  [['--number', 'Anonymous'], 'names nobody'],
  [['--number', '12'], 'takes a telephone number'],
  [['--user', ''], '--user takes a text of 1 to 256 characters.'],
  [['everybody'], 'Unexpected argument'],
])('erase %j is a wrong call', async (args, message) => {
  expect(await run([...args, '--yes'])).toMatchObject({ code: 2, errors: expect.stringContaining(message) });
});
