import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { audioOf, ended, makeConversation } from '../../../../test/support/provider/conversation.ts';
import { createEngine } from '../../src/engine.ts';
import { planReconciliation } from '../../src/reconcile/plan-reconciliation.ts';
import { aComparison, minutesAgo, webhook } from './a-comparison.ts';
import { SAME_DAY } from './same-day.ts';

const DAY = 24 * 60;

const started = (id: string, minutes: number) =>
  webhook(
    Buffer.from(
      JSON.stringify({
        type: 'conversation.started',
        timestamp: minutesAgo(minutes),
        data: { conversation_id: id, agent_id: 'a' },
      }),
    ),
  );

test('each call gets its verdict, and what never came is fetched', async () => {
  const call = {
    whole: makeConversation({ id: 'whole' }),
    never_came: makeConversation({ id: 'never_came', said: ['Hello', 'مرحبا'] }),
    no_audio: makeConversation({ id: 'no_audio' }),
    has_none: makeConversation({ id: 'has_none', hasAudio: false }),
    says_nothing: makeConversation({ id: 'says_nothing', hasAudio: false }),
    audio_gone: makeConversation({ id: 'audio_gone' }),
    running: makeConversation({ id: 'running', status: 'in-progress', startedAt: minutesAgo(5) }),
    young: makeConversation({ id: 'young', startedAt: minutesAgo(40) }),
    failed: makeConversation({ id: 'failed', status: 'failed' }),
    erased: makeConversation({ id: 'erased' }),
    long_ago: makeConversation({ id: 'long_ago', startedAt: minutesAgo(10 * DAY) }),
  };
  Reflect.deleteProperty(call.says_nothing, 'has_audio');
  const line = await aComparison(Object.values(call));
  await line.receive(call.whole);
  await line.receiveAudio(call.whole);
  await line.receive(call.no_audio);
  await line.store.reconcile.markErased(['erased']);
  line.provider.fail({ kind: 'not_found', path: /\/audio_gone\/audio$/, times: 'always' });
  // Ours alone: one that the provider has deleted, one that it does not list yet, and one from before the window that was left open.
  await line.worker.work([started('deleted', 120), started('just_now', 2), started('long_ago', 10 * DAY)]);
  await line.store.reconcile.judge(new Map([['long_ago', 'open']]));

  const { client, store } = line;
  const options = { provider: client, windowHours: 72, keepsAudio: true, keptDays: {} };
  const planned = await planReconciliation({
    ...options,
    store: store.reconcile,
    signal: new AbortController().signal,
  });
  const sorted = ({ missing, withoutRecording, waiting, unfetchable, complete, erased }: typeof planned) => ({
    missing: missing.toSorted(),
    withoutRecording,
    waiting: waiting.toSorted(),
    unfetchable,
    complete,
    erased,
  });
  expect(sorted(planned)).toEqual({
    missing: ['audio_gone', 'failed', 'has_none', 'long_ago', 'never_came', 'says_nothing'],
    withoutRecording: ['no_audio'],
    waiting: ['just_now', 'running', 'young'],
    unfetchable: [{ id: 'deleted', reason: expect.stringContaining('404') }],
    complete: 1,
    erased: 1,
  });
  expect(await line.sql('SELECT id FROM conversations WHERE completeness IS NOT NULL ORDER BY id')).toEqual([
    { id: 'erased' },
    { id: 'long_ago' },
  ]);
  line.asked();

  const operation = await line.run();
  expect(operation).toMatchObject({ status: 'done', total: 7, done: 6, failed: 1 });
  expect(operation.checkpoint).toBeNull();
  expect(await line.reasons()).toEqual({
    audio_gone: expect.stringMatching(/^audio: .*404/),
    deleted: expect.stringContaining('404'),
  });
  expect(operation.message).toMatch(
    /^Fetched 6 transcripts and 3 recordings\. Unfetchable: (?:audio_gone|deleted) \(.*, (?:audio_gone|deleted) \(.*\)\.$/,
  );
  expect(await line.completeness()).toEqual({
    whole: 'complete',
    never_came: 'complete',
    no_audio: 'complete',
    has_none: 'complete',
    says_nothing: 'complete',
    audio_gone: 'unfetchable',
    running: 'open',
    young: 'waiting',
    failed: 'complete',
    erased: 'erased',
    long_ago: 'complete',
    deleted: 'unfetchable',
    just_now: 'open',
  });
  expect(line.asked().filter((path) => /erased|whole|running|young|just_now|failed\/audio/.test(path))).toEqual([]);
  // All of them ended before the first comparison began: no webhook could have brought them.
  expect([line.fetched(), line.missed()]).toEqual([7, 0]);
  expect(await line.last()).toMatchObject({
    listed: '10',
    complete: '7',
    waiting: '3',
    fetched: '6',
    fetched_recordings: '3',
    unfetchable: '2',
    error: null,
  });

  // What was fetched is what webhooks would have brought.
  const words = `SELECT content FROM conversation_messages WHERE conversation_id = 'never_came' ORDER BY position`;
  expect(await line.sql(words)).toEqual([{ content: 'Hello' }, { content: 'مرحبا' }]);
  const [recording, ...others] = await line.sql(
    `SELECT url FROM conversation_recordings WHERE conversation_id = 'never_came'`,
  );
  expect(others).toEqual([]);
  expect(await readFile(String(recording?.['url']).slice('file:'.length))).toEqual(audioOf('never_came'));
  expect(await line.sql(`SELECT DISTINCT origin FROM webhook_events WHERE conversation_id = 'never_came'`)).toEqual([
    { origin: 'backfill' },
  ]);
  // The list's summary made the row of the running one.
  expect(await line.sql(`SELECT status, agent_id FROM conversations WHERE id = 'running'`)).toEqual([
    { status: 'in_progress', agent_id: 'agent_front_desk' },
  ]);

  // A second run fetches nothing. The running call ends, and is looked at again.
  await line.sql(SAME_DAY);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);
  line.provider.conversations.set('running', ended(call.running, { startedAt: minutesAgo(50), durationSeconds: 60 }));
  await line.sql(`${SAME_DAY}; UPDATE reconciliations SET started_at = started_at - interval '50 minutes'`);
  expect(await line.run()).toMatchObject({ status: 'done', total: 1, done: 1 });
  expect([line.fetched(), line.missed()]).toEqual([8, 1]);
  expect(await line.completeness()).toMatchObject({ running: 'complete' });
  // The webhooks come late: nothing is there twice, and what they say stands.
  await line.receive(call.never_came);
  await line.receiveAudio(call.never_came);
  expect(await line.sql(words)).toHaveLength(2);
  expect(
    await line.sql(`SELECT count(*)::int AS n FROM conversation_recordings WHERE conversation_id = 'never_came'`),
  ).toEqual([{ n: 1 }]);
  expect(line.worker.errors).toEqual([]);
}, 60_000);

test('a window begins where the last good one leaves off, and a call that appears late is found', async () => {
  const late = makeConversation({ id: 'late', startedAt: minutesAgo(60 * 24 * 4) });
  const line = await aComparison([makeConversation({ id: 'one' })]);
  const endUnlisted = line.provider.fail({
    kind: 'unlisted',
    path: '/v1/convai/conversations',
    ids: ['one'],
    times: 'always',
  });
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  endUnlisted();
  expect(await line.completeness()).toEqual({});
  expect(await line.run()).toMatchObject({ status: 'done', total: 1, done: 1 });

  // One that the provider did not know when it was asked for is opened again once it is listed, and asked for no more often than that.
  await line.worker.work([started('slow', 120)]);
  await line.run();
  expect(await line.completeness()).toMatchObject({ slow: 'unfetchable' });
  line.provider.conversations.set('slow', makeConversation({ id: 'slow' }));
  line.provider.fail({ kind: 'not_found', path: '/v1/convai/conversations/slow', times: 2 });
  await line.run();
  expect(await line.completeness()).toMatchObject({ slow: 'unfetchable' });
  line.asked();
  await line.sql(SAME_DAY);
  await line.run();
  expect(line.asked()).toEqual([]);
  expect((await line.fetch('slow')).status).toBe('done');
  expect(await line.completeness()).toMatchObject({ slow: 'complete' });

  // For two days nothing ran: four days ago is within three days of the last good run.
  await line.sql(
    `UPDATE reconciliations SET window_to = window_to - interval '2 days', started_at = started_at - interval '2 days'`,
  );
  line.provider.conversations.set('late', late);
  line.provider.fail({ kind: 'invalid_api_key', path: '/v1/convai/conversations/late' });
  const failed = await line.run();
  expect(failed).toMatchObject({ status: 'failed', total: 1, failed: 1 });
  expect(failed.message).toMatch(/key/i);
  expect(await line.completeness()).toMatchObject({ late: 'missing' });
  expect((await line.last())?.['error']).toMatch(/key/i);
  // One with a time of its own does not count as the schedule's.
  expect(await line.run(Date.now() - 3_600_000)).toMatchObject({ status: 'done', done: 1 });
  await line.run();
  const window = await line.last();
  expect(Date.now() - Number(new Date(String(window?.['window_from'])))).toBeGreaterThan(4.9 * 86_400_000);
}, 60_000);

test('a worker that dies half-way is followed by one that ends with the same', async () => {
  const calls = Array.from({ length: 50 }, (_, i) => makeConversation({ id: `call_${i}`, hasAudio: i % 10 === 0 }));
  const line = await aComparison(calls);
  const { id } = await line.store.operations.request({ kind: 'reconcile', filter: {} });
  const engine = () => createEngine({ store: line.store.operations, kinds: [line.kinds.reconcile] });
  const leaving = new AbortController();
  let jobs = 0;
  line.worker.onJob = () => {
    if (++jobs === 2) leaving.abort();
  };
  await engine().runDue(leaving.signal);
  expect(await line.store.operations.get(id)).toMatchObject({ status: 'running', finishedAt: null });
  line.worker.onJob = undefined;
  await engine().runDue(new AbortController().signal);
  expect(await line.store.operations.get(id)).toMatchObject({ status: 'done', failed: 0 });
  expect(await line.last()).toMatchObject({ listed: '50', complete: '50', fetched: '50', fetched_recordings: '5' });
  expect(await line.sql('SELECT count(*)::int AS n FROM reconciliations')).toEqual([{ n: 1 }]);
  expect(await line.sql(`SELECT completeness, count(*)::int AS n FROM conversations GROUP BY 1`)).toEqual([
    { completeness: 'complete', n: 50 },
  ]);
  expect(line.provider.mostAtOnce()).toBeLessThanOrEqual(2);
}, 60_000);
