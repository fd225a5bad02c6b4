import { createStore, openRebuilds, type Rebuilds, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { messageBody, RECEIVED_AT } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

let database: TestDatabase;
let store: Store;
let rebuilds: Rebuilds;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  rebuilds = openRebuilds({ databaseUrl: database.url });
  const events = [1, 2, 3].map((i) => {
    const facts = { receivedAt: RECEIVED_AT, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(messageBody('c', `word ${i}`), facts));
    if (event.outcome === 'dead') throw new Error('It is dead.');
    return event;
  });
  await store.apply(events);
  await runSql(database.directUrl, `DELETE FROM webhook_bodies WHERE event_id = '${events[0]?.entry.id}'`);
});
afterEach(async () => {
  await runSql(database.directUrl, 'DELETE FROM operations');
  for (const { schema } of await rebuilds.kept()) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await rebuilds.drop(schema);
  }
});
afterAll(async () => {
  await Promise.all([store.close(), rebuilds.close()]);
  await database.drop();
});

/** Runs a command of `landline`. */
async function run(args: string[], more: Partial<CommandContext> = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(['rebuild', ...args], {
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

/** Plays the worker: makes a rebuild that differs, or swaps it. */
async function endNext(): Promise<{ filter: unknown; requestedBy: string | null }> {
  const claimed = await vi.waitUntil(() => store.operations.claim('rebuild', 60_000), {
    timeout: 20_000,
    interval: 20,
  });
  const isSwap = JSON.stringify(claimed.filter) === '{"swap":"yes"}';
  const kept = (await rebuilds.kept()).at(-1)?.schema;
  const schema = kept ?? (await rebuilds.begin(claimed.id, 'code'));
  if (kept === undefined) {
    await runSql(
      database.directUrl,
      `INSERT INTO ${schema}.landline_differences VALUES ('conversations', 'title', 2, '[{"key":{"id":"c"},"before":"x","after":"y"}]')`,
    );
  }
  // A swap is refused where the tables are not alike.
  // oxlint-disable-next-line no-await-in-loop -- one index after the other
  while (await rebuilds.makeNextIndex(schema));
  const ended = isSwap ? await rebuilds.finish(claimed, schema, { swap: true }) : schema;
  if (isSwap) await rebuilds.unfollow();
  const progress = { total: 3, done: 3, failed: 0, message: `It is in ${ended}.`, checkpoint: { schema: ended ?? '' } };
  await store.operations.finish(claimed, progress, 'done');
  return claimed;
}

const DIFFERENCES = [
  { table: 'conversations', column: 'title', rows: 2, sample: [{ key: { id: 'c' }, before: 'x', after: 'y' }] },
];

test('a plan says what a rebuild is about, and changes nothing', async () => {
  await runSql(database.directUrl, 'CREATE VIEW calls AS SELECT id FROM conversations');
  const { code, output, errors } = await run(['--plan', '--json']);
  await runSql(database.directUrl, 'DROP VIEW calls');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(JSON.parse(output)).toEqual({
    total: 3,
    without_body: 1,
    body_bytes: expect.any(Number),
    table_bytes: expect.any(Number),
    kept: [],
    dependents: ['the view calls'],
  });
  expect((await run(['--plan'])).output).toMatch(
    /^3 applied events of the ledger, 0\.0 MB of bodies; the tables have .*\n {2}1 has no body any more: /,
  );
  expect(await store.operations.list(1)).toEqual([]);
});

test('where nobody can be asked it exits with 2, and any answer but yes changes nothing', async () => {
  for (const args of [[], ['--swap'], ['--drop-old'], ['--json']]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await run(args)).toMatchObject({ code: 2, errors: expect.stringContaining('--yes does it without asking') });
  }
  expect(await run(['--swap'], { ask: () => Promise.resolve(false) })).toMatchObject({
    code: 0,
    errors: 'Nothing was changed in the tables that are read.',
  });
  expect(await store.operations.list(1)).toEqual([]);
});

test('with --json the differences are all that is printed', async () => {
  const ending = endNext();
  const { code, output } = await run(['--yes', '--json', '--rate', '7']);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual({ differences: DIFFERENCES });
  expect(await ending).toMatchObject({ filter: { swap: 'no' }, rate: 7, requestedBy: 'cli:me' });
});

test('on a terminal it asks twice: before it builds, and before it swaps, with the differences in sight', async () => {
  const questions: string[] = [];
  const ask = (question: string) => Promise.resolve(questions.push(question) > 0);
  const ending = endNext().then(endNext);
  const { code, output, errors } = await run(['--swap'], { ask });
  expect(code).toBe(0);
  expect(questions).toEqual(['Build the tables anew, beside the others?', 'Swap them in?']);
  expect(output).toContain('conversations.title: 2 rows differ\n  c: "x" becomes "y"');
  expect(errors).toContain('It is in landline_before_');
  expect(await ending).toMatchObject({ filter: { swap: 'yes' } });

  const [kept] = await rebuilds.kept();
  expect(await run(['--drop-old'], { ask: () => Promise.resolve(false) })).toMatchObject({
    code: 0,
    errors: 'Nothing was changed.',
  });
  expect(await run(['--drop-old', '--plan'])).toMatchObject({
    code: 0,
    output: expect.stringContaining(kept?.schema ?? ''),
  });
  const dropped = await run(['--drop-old', '--yes', '--json']);
  expect(JSON.parse(dropped.output)).toMatchObject({ dropped: [{ schema: kept?.schema }] });
  expect(await rebuilds.kept()).toEqual([]);
  expect(await run(['--drop-old', '--yes'])).toEqual({ code: 0, output: 'There are no old tables.', errors: '' });
});

test('the tables of a rebuild that runs are not dropped', async () => {
  const { id } = await store.operations.request({ kind: 'rebuild', filter: {} });
  await rebuilds.begin(id, 'code');
  expect(await run(['--drop-old', '--yes'])).toMatchObject({ code: 0, output: 'There are no old tables.' });
  expect(await rebuilds.kept()).toHaveLength(1);
});

test('one that fails exits with 1, and says why', async () => {
  const running = run(['--yes']);
  const claimed = await vi.waitUntil(() => store.operations.claim('rebuild', 60_000), {
    timeout: 20_000,
    interval: 20,
  });
  const progress = { total: 3, done: 0, failed: 0, message: 'because', checkpoint: null };
  await store.operations.finish(claimed, progress, 'failed');
  expect(await running).toMatchObject({ code: 1, errors: expect.stringContaining('because') });
});

describe('of one conversation', () => {
  const filter = { conversation: 'd' };
  beforeAll(async () => {
    const facts = { receivedAt: RECEIVED_AT, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(messageBody('d', 'word'), facts));
    if (event.outcome === 'dead') throw new Error('It is dead.');
    await store.apply([event]);
  });
  afterAll(() => runSql(database.directUrl, `DELETE FROM webhook_events WHERE conversation_id = 'd'`));

  test('a plan says what there is of it, and whether it can be done', async () => {
    expect(await run(['--conversation', 'd', '--plan'])).toEqual({
      code: 0,
      output: 'applied events of the conversation: 1, without a body: 0',
      errors: '',
    });
    const { code, output, errors } = await run(['--conversation', 'c', '--plan', '--json']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(JSON.parse(output)).toEqual({
      conversation: 'c',
      total: 3,
      without_body: 1,
      erased: false,
      refusal: expect.stringContaining('The bodies of 1 of its 3 events are gone'),
    });
    expect(await store.operations.list(1)).toEqual([]);
  });

  test('a worker is asked for it, after a question, and its end is printed', async () => {
    expect(await run(['--conversation', 'd'], { ask: () => Promise.resolve(false) })).toMatchObject({
      code: 0,
      errors: 'Nothing was changed.',
    });
    const running = run(['--conversation', 'd', '--yes', '--json']);
    const claimed = await vi.waitUntil(() => store.operations.claim('rebuild-conversation', 60_000), {
      timeout: 20_000,
      interval: 20,
    });
    const progress = { total: 1, done: 1, failed: 0, message: null, checkpoint: null };
    await store.operations.finish(claimed, progress, 'done');
    const { code, output } = await running;
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ kind: 'rebuild-conversation', filter, status: 'done', done: 1 });
  });

  test('where it cannot be done, no worker is asked', async () => {
    expect(await run(['--conversation', 'unknown', '--yes'])).toMatchObject({
      code: 1,
      errors: 'The ledger has no applied event of this conversation.',
    });
    expect(await store.operations.list(1)).toEqual([]);
  });
});

test.each([
  [['--conversation', 'c', '--swap'], '--conversation goes without --swap, --drop-old and --rate'],
  [['--conversation', ''], '--conversation takes the id of a conversation.'],
  [['--rate', '0'], '--rate takes a whole number from 1 to 1000000, not "0".'],
  [['--drop-old', '--swap'], '--drop-old goes without --swap and --rate'],
  [['all'], 'Unexpected argument'],
])('rebuild %j is a wrong call', async (args, message) => {
  const { code, errors } = await run(['--yes', ...args]);
  expect(code).toBe(2);
  expect(errors).toContain(message);
});
