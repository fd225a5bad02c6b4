import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSubject } from '@landline/store';
import { describe, expect, test } from 'vitest';
import { audioOf, makeConversation } from '../../../../test/support/provider/conversation.ts';
import { createEngine } from '../../src/engine.ts';
import { aComparison, minutesAgo } from './a-comparison.ts';

const DAY = 24 * 60;
const withoutAudio = (id: string) => makeConversation({ id, hasAudio: false });

describe('a fault of the provider', () => {
  test('of one call ends nothing: the call stays missing and is named, and the run is good all the same', async () => {
    const line = await aComparison(['a', 'b', 'c', 'd'].map(withoutAudio));
    const endFaults = [
      line.provider.fail({ kind: 'html', path: '/v1/convai/conversations/b', times: 'always' }),
      line.provider.fail({ kind: 'internal_error', path: '/v1/convai/conversations/c', times: 'always' }),
    ];
    const operation = await line.run();
    expect(operation).toMatchObject({ status: 'done', total: 4, done: 2, failed: 2 });
    expect(operation.message).toMatch(/Fetched 2 transcripts.*Still missing: .*b \(.*c \(/);
    expect(await line.completeness()).toEqual({ a: 'complete', b: 'missing', c: 'missing', d: 'complete' });
    expect(Object.keys(await line.reasons())).toEqual(['b', 'c']);
    expect((await line.last())?.['error']).toBeNull();
    for (const end of endFaults) end();
    expect(await line.run()).toMatchObject({ status: 'done', total: 2, done: 2 });
    expect(await line.completeness()).toEqual({ a: 'complete', b: 'complete', c: 'complete', d: 'complete' });
    expect(await line.reasons()).toEqual({});
  });

  test('of all calls ends the run with what to do, and all calls are judged', async () => {
    const line = await aComparison(Array.from({ length: 30 }, (_, i) => withoutAudio(`call_${i + 10}`)));
    const rule = { path: /\/conversations\/call_/, times: 'always', after: 5 } as const;
    const endAway = line.provider.fail({ kind: 'internal_error', ...rule });
    const away = await line.run();
    // Ten had no answer, and one was on its way then. Of the others nobody was asked.
    expect(away).toMatchObject({ status: 'failed', total: 30, done: 5 });
    expect([10, 11]).toContain(away.failed);
    endAway();
    const found = Object.values(await line.completeness());
    // The provider is asked no further, once ten calls have no answer.
    expect(found.filter((one) => one === 'complete')).toHaveLength(5);
    expect(found.filter((one) => one === 'missing')).toHaveLength(25);
    expect(line.asked().length).toBeLessThan(5 + 2 * 13);

    line.provider.fail({ kind: 'missing_permissions', permission: 'convai_read', path: '/v1/convai/conversations' });
    const refused = await line.run();
    expect(refused).toMatchObject({ status: 'failed' });
    expect(refused.message).toContain('convai_read');
    expect((await line.last())?.['error']).toContain('convai_read');
    expect(await line.run()).toMatchObject({ status: 'done', done: 25 });
  });

  test('that refuses one call each time is that call alone: the audio of the others is fetched, however often it is asked for', async () => {
    const ids = ['a', 'b', 'c', 'refused', 'x', 'y', 'z'];
    const line = await aComparison(ids.map((id) => makeConversation({ id })));
    const endRefusal = line.provider.fail({
      kind: 'forbidden',
      path: '/v1/convai/conversations/refused',
      times: 'always',
    });
    // The first run has no audio at all: a permission is missing for it.
    const rule = {
      kind: 'missing_permissions',
      permission: 'convai_audio',
      path: /\/audio$/,
      times: 'always',
    } as const;
    const endAudio = line.provider.fail(rule);
    expect(await line.run()).toMatchObject({ status: 'failed', total: 7, done: 0, failed: 1 + 2 });
    endAudio();
    const next = await line.run();
    expect(next).toMatchObject({ status: 'done', total: 7, done: 6, failed: 1 });
    expect(next.message).toMatch(/Fetched 0 transcripts and 6 recordings\. Still missing: refused \(.*403/);
    expect(await line.completeness()).toEqual({
      ...Object.fromEntries(ids.map((id) => [id, 'complete'])),
      refused: 'missing',
    });
    endRefusal();
    expect(await line.run()).toMatchObject({ status: 'done', total: 1, done: 1 });
  });

  test('in the middle of audio: nothing of that is kept, and it is asked for again within the run, and by the next one', async () => {
    const line = await aComparison([makeConversation({ id: 'one' })]);
    const end = line.provider.fail({ kind: 'cut', path: /\/one\/audio$/, times: 'always' });
    expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
    expect(line.asked()).toEqual(['/one', '/one/audio', '/one/audio']);
    expect(await line.completeness()).toEqual({ one: 'missing' });
    expect(await line.sql('SELECT * FROM conversation_recordings')).toEqual([]);
    expect(await line.sql(`SELECT id FROM webhook_events WHERE type = 'post_call_audio'`)).toEqual([]);
    const files = await readdir(join(line.folder, 'spool'), { recursive: true });
    expect(files.filter((name) => /body|part/.test(name))).toEqual([]);
    end();

    line.provider.fail({ kind: 'cut', path: /\/one\/audio$/ });
    expect(await line.run()).toMatchObject({ status: 'done', total: 1, done: 1 });
    expect(line.asked()).toEqual(['/one/audio', '/one/audio']);
    const { length } = audioOf('one');
    expect(await line.sql('SELECT bytes::int FROM conversation_recordings WHERE url IS NOT NULL')).toEqual([
      { bytes: length },
    ]);
  });
});

test('what is dead is fetched once, until somebody asks for it again', async () => {
  const line = await aComparison([withoutAudio('dying')]);
  line.worker.dying.add('dying');
  const operation = await line.run();
  expect(operation).toMatchObject({ status: 'done', failed: 1 });
  expect(await line.reasons()).toEqual({
    dying: 'what the provider gave cannot be applied (an_old_bug)',
  });
  expect(line.asked()).toEqual(['/dying']);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);
  expect(await line.completeness()).toEqual({ dying: 'unfetchable' });

  line.worker.dying.clear();
  expect(await line.fetch('dying')).toMatchObject({ status: 'done', total: 1, done: 1 });
  expect(await line.completeness()).toEqual({ dying: 'complete' });
  expect(line.fetched()).toBe(1);
});

test('what waits for the worker is missing, and is not fetched twice', async () => {
  const line = await aComparison([withoutAudio('one')], { settleMs: 60 });
  line.worker.held = [];
  expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
  expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
  expect(await line.completeness()).toEqual({ one: 'missing' });
  expect(await line.reasons()).toEqual({ one: 'it was fetched, and waits for the worker' });
  expect(line.asked()).toEqual(['/one']);
  await line.worker.work(line.worker.held.flat());
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);
  expect(await line.completeness()).toEqual({ one: 'complete' });
});

test('audio that waits for the storage is not fetched twice', async () => {
  const line = await aComparison([makeConversation({ id: 'one' })], { settleMs: 60 });
  line.worker.onJob = (id) => {
    if (id.startsWith('fetched-')) throw new Error('It is away.');
  };
  for (const asked of [['/one', '/one/audio'], []]) {
    // oxlint-disable-next-line no-await-in-loop -- two runs
    expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
    expect(line.asked()).toEqual(asked);
    // oxlint-disable-next-line no-await-in-loop -- two runs
    expect(await line.reasons()).toEqual({
      one: 'its audio was fetched, and waits for the storage of recordings',
    });
  }
  line.worker.onJob = undefined;
  await expect.poll(() => line.sql('SELECT url FROM conversation_recordings'), { timeout: 20_000 }).toHaveLength(1);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);
  expect(await line.completeness()).toEqual({ one: 'complete' });
}, 60_000);

test('what Redis loses is not waited for, and the next run fetches it again', async () => {
  // Two minutes are waited for what is there.
  const line = await aComparison([withoutAudio('one')], { settleMs: undefined });
  line.worker.isLosing = true;
  expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
  expect(await line.reasons()).toEqual({ one: expect.stringContaining('lost on its way') });
  line.worker.isLosing = false;
  // This one is lost between two runs.
  Object.assign(line.ports, { settleMs: 60 });
  line.worker.held = [];
  expect(await line.run()).toMatchObject({ status: 'done', failed: 1 });
  line.worker.held = undefined;
  expect(await line.run()).toMatchObject({ status: 'done', done: 1 });
  expect(line.asked()).toEqual(['/one', '/one', '/one']);
  expect(await line.completeness()).toEqual({ one: 'complete' });
}, 60_000);

test('a listed call whose id no event could have is left out and told, and costs none of the others', async () => {
  // Random, so that no index can shorten it.
  const long = makeConversation({ id: randomBytes(1_400).toString('hex'), startedAt: minutesAgo(3 * DAY - 60) });
  const line = await aComparison([long, withoutAudio('a'), withoutAudio('b')]);
  const operation = await line.run();
  expect(operation).toMatchObject({ status: 'done', total: 2, done: 2 });
  expect(operation.message).toBe(
    "Fetched 2 transcripts and 0 recordings. Left out of ElevenLabs' list: 1 that cannot be read.",
  );
  expect(await line.completeness()).toEqual({ a: 'complete', b: 'complete' });
  // Where none can be read in all of the run, the list has another shape.
  for (const id of ['a', 'b']) line.provider.conversations.delete(id);
  const none = "ElevenLabs' list of conversations has 1 item, and none can be read.";
  expect(await line.run()).toMatchObject({ status: 'failed', message: expect.stringContaining(none) });
  expect((await line.last())?.['error']).toContain(none);
  line.provider.conversations.clear();
  expect(await line.run()).toMatchObject({ status: 'done' });
});

test('a lease that is lost in the middle: the other worker ends the run, and the first one writes nothing more', async () => {
  const line = await aComparison(Array.from({ length: 25 }, (_, i) => withoutAudio(`call_${i}`)));
  const { id } = await line.store.operations.request({ kind: 'reconcile', filter: {} });
  const run = (onEvent: (event: string) => void) =>
    createEngine({ store: line.store.operations, kinds: [line.kinds.reconcile], onEvent }).runDue(
      new AbortController().signal,
    );
  const [first, second]: [string[], string[]] = [[], []];
  let claim: (() => void) | undefined;
  const claimed = new Promise<void>((resolve) => (claim = resolve));
  // The first one may keep its lease in between.
  const takeOver = async () => {
    while (second.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- until it is taken
      await line.sql(`UPDATE operations SET lease_until = clock_timestamp() - interval '1 second'`);
      // oxlint-disable-next-line no-await-in-loop -- until it is taken
      await run((event) => (second.push(event), claim?.()));
    }
  };
  let other: Promise<void> | undefined;
  line.worker.onJob = () => {
    other ??= takeOver();
    return claimed;
  };
  await run((event) => first.push(event));
  await other;
  expect([first, second]).toEqual([
    ['started', 'lost'],
    ['started', 'done'],
  ]);
  expect(await line.store.operations.get(id)).toMatchObject({ status: 'done', fence: 2 });
  expect(await line.last()).toMatchObject({ complete: '25', fetched: '25', error: null });
}, 60_000);

test('who was erased since the call began is not brought back', async () => {
  const line = await aComparison([
    makeConversation({ id: 'by_user', userId: 'user_7' }),
    makeConversation({ id: 'by_number', number: '+12025550199', userId: null }),
    makeConversation({ id: 'other' }),
  ]);
  const subjects = [
    { by: 'user', value: 'user_7' },
    { by: 'number', value: '+12025550199' },
  ] as const;
  for (const subject of subjects) {
    // oxlint-disable-next-line no-await-in-loop -- two
    const hash = await hashSubject(subject);
    // oxlint-disable-next-line no-await-in-loop -- two
    await line.sql(
      `INSERT INTO erasures (id, kind, subject_hash, requested_at, done_at, counts) VALUES (gen_random_uuid(), '${subject.by}', '${hash}', clock_timestamp(), clock_timestamp(), '{}')`,
    );
  }
  expect(await line.run()).toMatchObject({ status: 'done' });
  expect(await line.completeness()).toEqual({ by_user: 'erased', by_number: 'erased', other: 'complete' });
  expect(await line.sql(`SELECT DISTINCT conversation_id FROM webhook_events`)).toEqual([{ conversation_id: 'other' }]);
  expect(await line.sql(`SELECT title, summary FROM conversations WHERE id = 'by_user'`)).toEqual([
    { title: null, summary: null },
  ]);
  line.asked();
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(await line.fetch('by_user')).toMatchObject({ status: 'failed', message: expect.stringContaining('erased') });
  expect(line.asked()).toEqual([]);
});

test('a call that is erased while its audio is on its way is erased, and nobody misses it', async () => {
  const line = await aComparison([makeConversation({ id: 'one' })]);
  line.worker.onJob = (id) => (id.startsWith('fetched-') ? line.store.reconcile.markErased(['one']) : undefined);
  const operation = await line.run();
  expect(operation).toMatchObject({ status: 'done', done: 1, failed: 0 });
  expect(operation.message).not.toContain('Unfetchable');
  expect(await line.completeness()).toEqual({ one: 'erased' });
});

test('what is too old is not fetched', async () => {
  const old = { startedAt: minutesAgo(2 * DAY) };
  const gone = { delete_audio: true, deletion_time_unix_secs: minutesAgo(10) };
  const line = await aComparison(
    [
      makeConversation({ id: 'too_old', startedAt: minutesAgo(2.9 * DAY) }),
      makeConversation({ id: 'old_audio', ...old }),
      makeConversation({ id: 'new' }),
      makeConversation({ id: 'audio_to_go', deletion: gone }),
    ],
    { keptDays: { conversations: 2.5, recordings: 1 } },
  );
  expect(await line.run()).toMatchObject({ status: 'done', done: 3 });
  expect(line.asked().toSorted()).toEqual(['/audio_to_go', '/new', '/new/audio', '/old_audio']);
  expect(await line.completeness()).toEqual({ old_audio: 'complete', new: 'complete', audio_to_go: 'complete' });
  expect(await line.fetch('too_old')).toMatchObject({ status: 'failed' });
});

test('one conversation is fetched again, however complete it is', async () => {
  const call = makeConversation({ id: 'one' });
  const line = await aComparison([call, makeConversation({ id: 'running', status: 'in-progress' })]);
  await line.receive(call);
  await line.store.reconcile.judge(new Map([['one', 'complete']]));
  expect(await line.fetch('one')).toMatchObject({ status: 'done', done: 1, message: 'The conversation was fetched.' });
  expect(line.asked()).toEqual(['/one', '/one/audio']);
  expect(await line.fetch('one')).toMatchObject({ status: 'done' });
  expect(line.asked()).toEqual(['/one']);
  expect(await line.fetch('running')).toMatchObject({ status: 'failed', message: expect.stringContaining('goes on') });
  line.provider.conversations.delete('one');
  expect(await line.fetch('one')).toMatchObject({ status: 'failed', message: expect.stringContaining('not complete') });
  expect(await line.completeness()).toMatchObject({ one: 'complete' });
  // It was complete before.
  expect(line.fetched()).toBe(0);
});

test('a run that is cancelled says so in its row', async () => {
  const line = await aComparison(Array.from({ length: 45 }, (_, i) => withoutAudio(`call_${i}`)));
  const { id } = await line.store.operations.request({ kind: 'reconcile', filter: {} });
  let cancelling: Promise<unknown> | undefined;
  line.worker.onJob = () => void (cancelling ??= line.store.operations.cancel(id));
  line.provider.fail({ kind: 'slow', pauseMs: 200, path: /\/conversations\/call_/, times: 'always' });
  await createEngine({ store: line.store.operations, kinds: [line.kinds.reconcile] }).runDue(
    new AbortController().signal,
  );
  await cancelling;
  expect(await line.store.operations.get(id)).toMatchObject({ status: 'cancelled' });
  expect(await line.last()).toMatchObject({ error: 'Somebody has cancelled the run.', listed: '45' });
});
