import { createStore, type Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { makeConversation, webhookOf, type Account } from '../../../test/support/provider/conversation.ts';
import { startProvider, type StandIn } from '../../../test/support/provider/start-provider.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { CommandContext } from '../src/command-context.ts';
import { runCommand } from '../src/run-command.ts';

const HOUR_S = 3_600;
const NOW_S = Math.floor(Date.now() / 1000);

/** The run before. */
const BEFORE = '00000000-0000-4000-8000-000000000001';
/** A call that is over, and its account is here. */
const HERE = aCall('conv_here');
/** One without its audio where audio is kept. */
const MISSING = Array.from({ length: 25 }, (_, i) => aCall(`conv_missing_${String(i).padStart(2, '0')}`));
const RUNNING = makeConversation({ id: 'conv_running', status: 'in-progress', startedAt: NOW_S - 60 });
const YOUNG = makeConversation({ id: 'conv_young', startedAt: NOW_S - 600 });
const OLD = aCall('conv_old', NOW_S - 100 * HOUR_S);
/** It was forgotten here, and the provider has it still. */
const ERASED = aCall('conv_erased');

function aCall(id: string, startedAt = NOW_S - 3 * HOUR_S): Account {
  return makeConversation({ id, startedAt });
}

let database: TestDatabase;
let store: Store;
let provider: StandIn;
beforeAll(async () => {
  // Else the first test would wait until it is loaded.
  await import('../src/reconcile/reconcile.ts');
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
  provider = await startProvider({ conversations: [HERE, ...MISSING, RUNNING, YOUNG, OLD, ERASED] });
  await keep(HERE);
  // What the ledger and a deleted recording still tell of it says nothing of what is here.
  await keep(ERASED);
  await runSql(
    database.directUrl,
    `INSERT INTO conversation_recordings (conversation_id, event_id, content_type, bytes, sha256, created_at, deleted_at)
     VALUES ('conv_erased', gen_random_uuid(), 'audio/mpeg', 1, '${'a'.repeat(64)}', now(), now())`,
  );
  await store.reconcile.markErased(['conv_erased']);
  // A run before has seen it in the list, and could not fetch it. It was deleted at the provider, so no list has it now.
  const { agent_id: agentId } = aCall('conv_gone');
  const said = { direction: null, title: null, summary: null, callSuccessful: null, endReason: null };
  const times = { startedAt: (NOW_S - 3 * HOUR_S) * 1000, durationSeconds: 60 };
  await store.reconcile.noteListed([{ id: 'conv_gone', agentId, status: 'done', ...times, ...said }]);
  await store.reconcile.judge(
    new Map([['conv_gone', 'unfetchable']]),
    new Map([['conv_gone', 'it is gone\u001b[31m']]),
  );
}, 60_000);
beforeEach(async () => {
  await runSql(
    database.directUrl,
    `INSERT INTO operations (id, kind, filter, status, created_at, updated_at, finished_at)
     VALUES ('${BEFORE}', 'reconcile', '{}', 'done', now(), now(), now())`,
  );
});
afterEach(async () => {
  await runSql(database.directUrl, 'DELETE FROM operations');
});
afterAll(async () => {
  await provider.close();
  await store.close();
  await database.drop();
});

/** Applies a call's account, without its audio. */
async function keep(account: Account): Promise<void> {
  const receivedAt = Date.now() - HOUR_S * 1000;
  const event = normalise(deliveryOf(webhookOf(account), { receivedAt, signedAt: NOW_S - HOUR_S, secretId: 'test' }));
  await store.apply([event].filter((each) => each.outcome === 'applied'));
}

/** Runs the command; nobody sits at a terminal unless `more` says so. */
async function run(args: string[], more: Partial<CommandContext> = {}) {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(['reconcile', ...args], {
    root: await makeTempFolder(),
    env: {
      READER_DATABASE_URL: database.url,
      DATABASE_URL: database.url,
      REDIS_URL: inject('redisUrl'),
      ELEVENLABS_API_KEY: provider.apiKey,
      ELEVENLABS_API_URL: provider.url,
      USER: 'me',
    },
    print: (line) => lines.push(line),
    // That it waits for an answer is no error: on a slow machine it may say so at any time.
    printError: (line) => !line.startsWith('ElevenLabs does not answer yet') && errors.push(line),
    width: 120,
    ...more,
  });
  return { code, output: lines.join('\n'), errors: errors.join('\n') };
}

const PLAN = {
  missing: MISSING.map(({ conversation_id }) => conversation_id),
  without_recording: [],
  waiting: ['conv_running', 'conv_young'],
  unfetchable: ['conv_gone'],
  complete: 1,
  erased: 1,
  reasons: { conv_gone: 'it is gone\u001b[31m' },
};

const sorted = (json: string): unknown =>
  JSON.parse(json, (_, value: unknown) =>
    Array.isArray(value) ? value.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) : value,
  );

test('a plan needs a role that reads and the key alone, and changes nothing', async () => {
  const root = await makeTempFolder();
  await writeFile(join(root, 'key'), `${provider.apiKey}\n`);
  await writeFile(join(root, '.env'), `ELEVENLABS_API_KEY_FILE=${join(root, 'key')}\n`);
  const env = { READER_DATABASE_URL: database.url, ELEVENLABS_API_URL: provider.url };
  const before = await runSql(database.directUrl, 'SELECT * FROM conversations ORDER BY id');
  const planned = await run(['--plan', '--json'], { root, env });
  expect(planned).toMatchObject({ code: 0, errors: '' });
  expect(sorted(planned.output)).toEqual(PLAN);
  // With a place for recordings, the audio of the one that is here is missing. A longer window has more calls.
  const kept = await run(['--plan', '--json', '--since', '7d'], {
    root,
    env: { ...env, RECORDINGS_URL: 'file:/kept' },
  });
  expect(sorted(kept.output)).toEqual({
    ...PLAN,
    missing: [...PLAN.missing, 'conv_old'],
    without_recording: ['conv_here'],
    complete: 0,
  });
  expect(await runSql(database.directUrl, 'SELECT * FROM conversations ORDER BY id')).toEqual(before);
  expect(await store.operations.list(2)).toMatchObject([{ id: BEFORE }]);
}, 60_000);

test.each(['99999999d', '11y', '2019-12-31T23:59:59Z', '2999-01-01', '-7d', '8000d'])(
  'calls are not compared since %s, and one line says what is right',
  async (since) => {
    const { code, output, errors } = await run(['--plan', `--since=${since}`]);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toMatch(/^[^\n]*--since takes a time [^\n]*\n?$/);
  },
);

test('a person reads how many there are, some ids, and why a call cannot be fetched', async () => {
  const asked: string[] = [];
  const ask = (question: string) => Promise.resolve(asked.push(question) > 5);
  const { code, output, errors } = await run([], { ask });
  expect({ code, errors, asked }).toEqual({
    code: 0,
    errors: 'Nothing was changed.',
    asked: ['Fetch what is missing of 25 conversations?'],
  });
  expect(output.split('\n')).toEqual([
    '30 conversations were compared with ElevenLabs.',
    '        1  complete',
    '        2  waiting: the call goes on, or its webhooks may still come',
    '       25  missing: no transcript of them came, or one without its turns',
    ...Array.from({ length: 20 }, () => expect.stringMatching(/^ {11}conv_missing_\d\d$/)),
    '           and 5 more: --json has all',
    '        0  without their recording',
    '        1  unfetchable: something of them never came, and cannot be fetched',
    '           conv_gone: it is gone\\u001b[31m',
    '        1  erased: forgotten here, and not asked for',
  ]);
  // A document would be of how it is after the run.
  expect(await run(['--json'], { ask })).toMatchObject({ code: 0, errors: 'Nothing was changed.', output: '' });
  expect(asked).toHaveLength(2);
  expect(await store.operations.list(10)).toHaveLength(1);
});

test('where nothing is missing, a document says so, and nobody is asked', async () => {
  const asked: string[] = [];
  const ask = (question: string) => Promise.resolve(asked.push(question) > 0);
  const { code, output, errors } = await run(['--json', '--since', '2m'], { ask });
  expect(asked).toEqual([]);
  expect({ code, errors }).toEqual({ code: 0, errors: 'Nothing is missing.' });
  expect(sorted(output)).toEqual({ ...PLAN, missing: [], waiting: ['conv_running'], complete: 0, erased: 0 });
});

test('without --yes and without a terminal it exits with 2, and asks nobody for anything', async () => {
  const { length } = provider.requests;
  expect(await run([])).toMatchObject({ code: 2, errors: expect.stringContaining('--yes does it without asking') });
  expect(await run(['--since', 'soon', '--yes'])).toMatchObject({ code: 2 });
  expect(await run(['everything', '--plan'])).toMatchObject({ code: 2 });
  expect(provider.requests).toHaveLength(length);
  expect(await store.operations.list(2)).toMatchObject([{ id: BEFORE }]);
});

test.each([
  ['no key', { ELEVENLABS_API_KEY: '' }, /ELEVENLABS_API_KEY is not set.*docs\/nothing-missing\.md/],
  ['a key that is none', { ELEVENLABS_API_KEY: 'sk_wrong' }, /key/i],
  ['a window that is none', { RECONCILE_WINDOW_HOURS: '0' }, /RECONCILE_WINDOW_HOURS must be/],
])('with %s it exits with 1 and says what to do', async (_, env, message) => {
  const url = { ELEVENLABS_API_URL: provider.url, READER_DATABASE_URL: database.url };
  const { code, output, errors } = await run(['--plan'], {
    env: { ...url, ELEVENLABS_API_KEY: provider.apiKey, ...env },
  });
  expect({ code, output }).toEqual({ code: 1, output: '' });
  expect(errors).toMatch(message);
  expect(errors).not.toContain('sk_wrong');
});

/** Plays the worker: ends the next comparison, which has fetched a call where it is done. */
async function endNext(status: 'done' | 'failed') {
  const claimed = await vi.waitUntil(() => store.operations.claim('reconcile', 60_000), {
    timeout: 20_000,
    interval: 20,
  });
  const [first] = MISSING;
  if (status === 'done' && first !== undefined) {
    await keep(first);
    const window = { windowFrom: NOW_S * 1000, windowTo: NOW_S * 1000 + 1 };
    const times = { ...window, startedAt: NOW_S * 1000, finishedAt: NOW_S * 1000 };
    const counts = { listed: 9, complete: 2, waiting: 2, fetched: 1, fetchedRecordings: 3, unfetchable: 0 };
    await store.reconcile.writeRun({ id: claimed.id, ...times, ...counts, error: null });
  }
  const message = status === 'done' ? null : 'the key lacks a permission';
  await store.operations.finish(claimed, { total: 1, done: 1, failed: 0, message, checkpoint: null }, status);
  return claimed;
}

test('a run is left to a worker; then the document says how it is, and what the run has fetched', async () => {
  const ending = endNext('done');
  const { code, output } = await run(['--yes', '--json', '--since', '2026-01-01T00:00:00Z']);
  const { id, filter, requestedBy } = await ending;
  expect(code).toBe(0);
  expect({ filter, requestedBy }).toEqual({ filter: { since: '2026-01-01T00:00:00.000Z' }, requestedBy: 'cli:me' });
  expect(sorted(output)).toEqual({
    ...PLAN,
    missing: [...PLAN.missing.slice(1), 'conv_old'],
    complete: 2,
    fetched: { transcripts: 1, recordings: 3 },
    operation: id,
    status: 'done',
  });
});

test('a run that failed exits with 1 and its reason, also where the provider answers nobody any more', async () => {
  const ending = endNext('failed');
  const human = await run(['--yes']);
  await ending;
  expect(human).toMatchObject({ code: 1, output: expect.stringContaining('the key lacks a permission') });

  const endFault = provider.fail({
    kind: 'missing_permissions',
    permission: 'convai_read',
    path: /./,
    times: 'always',
  });
  onTestFinished(() => endFault());
  const endingAgain = endNext('failed');
  const { code, output, errors } = await run(['--yes', '--json']);
  const { id } = await endingAgain;
  expect(code).toBe(1);
  expect(errors).toMatch(
    /The comparison failed: the key lacks a permission\nHow it is now cannot be said\. .*convai_read/s,
  );
  const end = { operation: id, status: 'failed', error: 'the key lacks a permission' };
  expect(JSON.parse(output)).toEqual({ fetched: { transcripts: 0, recordings: 0 }, ...end });
});

const isSeen = (lines: readonly string[], text: string) =>
  vi.waitUntil(() => lines.some((line) => line.includes(text)), { timeout: 20_000, interval: 20 });

test('it says at once what it waits for, and while it runs what it has listed and is to fetch', async () => {
  const { operations } = store;
  const progress = { total: 5, done: 2, failed: 0, message: null, checkpoint: null };
  const claim = () => vi.waitUntil(() => operations.claim('reconcile', 60_000), { timeout: 20_000, interval: 20 });
  await operations.request({ kind: 'reconcile', filter: {} });
  const ahead = await claim();
  await runSql(database.directUrl, `UPDATE operations SET started_at = updated_at - interval '1 minute'`);
  const [shown, told]: [string[], string[]] = [[], []];
  const write = (bytes: Uint8Array) => Promise.resolve(shown.push(Buffer.from(bytes).toString()) > 0);
  const onTerminal = run(['--yes'], { isTerminal: true, write });
  await isSeen(shown, `Waits for the comparison ${ahead.id.slice(0, 8)}, running for 1 min.`);
  const elsewhere = run(['--yes'], { printError: (line) => told.push(line) });
  await isSeen(told, `Waits for the comparison ${ahead.id.slice(0, 8)}, running for 1 min.`);

  await operations.finish(ahead, progress, 'done');
  const first = await claim();
  const counts = { listed: 42, complete: 37, waiting: 0, fetched: 2, fetchedRecordings: 0, unfetchable: 0 };
  const times = { windowFrom: 0, windowTo: 1, startedAt: 2, finishedAt: null };
  await store.reconcile.writeRun({ id: first.id, ...times, ...counts, error: null });
  await operations.keep(first, progress, 60_000);
  await isSeen(shown, 'running: listed 42, to fetch 5, done 2');
  await operations.finish(first, progress, 'done');
  const second = await claim();
  await operations.finish(second, progress, 'done');
  expect(await onTerminal).toMatchObject({ code: 0, errors: '' });
  expect(await elsewhere).toMatchObject({ code: 0 });
  // Each is told once, however often it was asked.
  expect(told.filter((line) => line.includes(ahead.id.slice(0, 8)))).toHaveLength(1);
});

/** No key: the worker is who asks the provider. */
const withoutKey = () => ({ DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), USER: 'me' });

/** Plays the worker: ends the next operation that fetches one call. */
async function endFetch(status: 'done' | 'failed', message: string) {
  const claim = () => store.operations.claim('fetch-conversation', 60_000);
  const claimed = await vi.waitUntil(claim, { timeout: 20_000, interval: 20 });
  await store.operations.finish(claimed, { total: 1, done: 1, failed: 0, message, checkpoint: null }, status);
  return claimed;
}

describe('one call', () => {
  test('is fetched again by a worker, and the command says what is here then, or why not', async () => {
    const ending = endFetch('done', 'The conversation was fetched.');
    const { code, output } = await run(['--conversation', 'conv_here', '--yes'], { env: withoutKey() });
    expect(await ending).toMatchObject({ filter: { conversation: 'conv_here' }, requestedBy: 'cli:me' });
    expect(code).toBe(0);
    expect(output).toMatch(/^message +The conversation was fetched\.$/m);
    expect(output).toMatch(
      /\ncompleteness {2}not compared with ElevenLabs yet\ntranscript {4}here\nrecording {5}not here$/,
    );

    const failing = endFetch('failed', 'The conversation is not complete: (404).');
    const failed = await run(['--conversation', 'conv_gone', '--yes', '--json'], {
      env: { ...withoutKey(), USER: '' },
    });
    const { id, requestedBy } = await failing;
    expect(requestedBy).toMatch(/^cli(?::.+)?$/);
    expect(requestedBy).not.toContain('unknown');
    expect(failed).toMatchObject({ code: 1, errors: '' });
    expect(JSON.parse(failed.output)).toEqual({
      conversation: 'conv_gone',
      completeness: 'unfetchable',
      transcript: false,
      recording: false,
      operation: id,
      status: 'failed',
      error: 'The conversation is not complete: (404).',
    });
  });

  test('a plan and a no change nothing, and need no key; a plan of what is not here exits with 1', async () => {
    const here = await run(['--conversation', 'conv_here', '--plan'], { env: withoutKey() });
    expect(here).toMatchObject({ code: 0, output: expect.stringContaining('transcript    here'), errors: '' });
    const planned = await run(['--conversation', 'conv_none', '--plan'], { env: withoutKey() });
    expect(planned).toEqual({
      code: 1,
      output: 'Nothing of this conversation is here. Whether ElevenLabs has it is asked without --plan alone.',
      errors: '',
    });
    const { code, output } = await run(['--conversation', 'conv_none', '--plan', '--json'], { env: withoutKey() });
    const nothing = { completeness: null, transcript: false, recording: false };
    expect([code, JSON.parse(output)]).toEqual([1, { conversation: 'conv_none', ...nothing }]);
    const refused = await run(['--conversation', 'conv_none'], {
      env: withoutKey(),
      ask: () => Promise.resolve(false),
    });
    expect(refused).toEqual({
      code: 0,
      output: 'Nothing of this conversation is here.',
      errors: 'Nothing was changed.',
    });
    expect(await store.operations.list(2)).toMatchObject([{ id: BEFORE }]);
  });

  test('that was erased is not here, and no worker is asked for it', async () => {
    const sentence = 'The conversation was erased here: it is not fetched.';
    const document = { conversation: 'conv_erased', completeness: 'erased', transcript: false, recording: false };
    const typed = ['--conversation', 'conv_erased'];
    expect(await run([...typed, '--plan'], { env: withoutKey() })).toEqual({ code: 0, output: sentence, errors: '' });
    const planned = await run([...typed, '--plan', '--json'], { env: withoutKey() });
    expect([planned.code, JSON.parse(planned.output)]).toEqual([0, document]);
    const refused = await run([...typed, '--yes', '--json'], { env: withoutKey() });
    expect([refused.code, JSON.parse(refused.output), refused.errors]).toEqual([1, document, sentence]);
    const asked: string[] = [];
    const ask = (question: string) => Promise.resolve(asked.push(question) > 0);
    const answered = await run(typed, { env: withoutKey(), ask });
    expect({ ...answered, asked }).toEqual({ code: 1, output: '', errors: sentence, asked: [] });
    expect(await store.operations.list(2)).toMatchObject([{ id: BEFORE }]);
  });

  test.each([
    [['--conversation', 'conv_1', '--since', '7d', '--yes'], '--conversation goes without --since'],
    [['--conversation', '', '--yes'], '--conversation takes the id of a conversation'],
    [['--conversation', 'x'.repeat(257), '--yes'], '--conversation takes the id of a conversation'],
    [['--conversation', 'conv_1'], '--yes does it without asking'],
    // The usage shows how it is typed.
    [['conv_1', '--yes'], 'reconcile --conversation <id>'],
  ])('%j is a wrong call', async (args, message) => {
    expect(await run(args, { env: withoutKey() })).toMatchObject({ code: 2, errors: expect.stringContaining(message) });
  });
});
