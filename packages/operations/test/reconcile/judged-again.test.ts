import { expect, test } from 'vitest';
import { makeConversation } from '../../../../test/support/provider/conversation.ts';
import { aComparison, minutesAgo } from './a-comparison.ts';
import { SAME_DAY } from './same-day.ts';

const DAY = 24 * 60;
const withoutAudio = (id: string) => makeConversation({ id, hasAudio: false });
const silent = (id: string) => makeConversation({ id, said: [], hasAudio: false });
const A_DAY_AGO = `UPDATE reconciliations SET window_to = window_to - interval '1 day', started_at = started_at - interval '1 day'`;

test('an account that came in a run that fails is complete only with its audio', async () => {
  const calls = Array.from({ length: 4 }, (_, i) => makeConversation({ id: `call_${i}` }));
  const line = await aComparison(calls);
  line.provider.fail({ kind: 'invalid_api_key', path: /\/call_\d(\/audio)?$/, after: 2, times: 'always' });
  expect(await line.run()).toMatchObject({ status: 'failed' });
  expect(await line.sql(`SELECT count(*)::int AS n FROM webhook_events`)).toEqual([{ n: 2 }]);
  expect(new Set(Object.values(await line.completeness()))).toEqual(new Set(['missing']));
});

test('a 404 for audio that the account tells of is a word for good an hour after the call is missed', async () => {
  const line = await aComparison([
    makeConversation({ id: 'late', startedAt: minutesAgo(60) }),
    makeConversation({ id: 'gone', startedAt: minutesAgo(3 * 60) }),
  ]);
  const end = line.provider.fail({ kind: 'not_found', path: /\/audio$/, times: 'always' });
  expect(await line.run()).toMatchObject({ status: 'done', failed: 2 });
  expect(await line.completeness()).toEqual({ late: 'missing', gone: 'unfetchable' });
  end();
  await line.sql(SAME_DAY);
  expect(await line.run()).toMatchObject({ status: 'done', total: 1, done: 1 });
  expect(await line.completeness()).toEqual({ late: 'complete', gone: 'unfetchable' });
});

test('a listed call that is unfetchable is asked for again on another day', async () => {
  const line = await aComparison([withoutAudio('hidden')]);
  const end = line.provider.fail({ kind: 'not_found', path: /\/hidden$/, times: 'always' });
  await line.run();
  await line.run();
  expect(await line.completeness()).toEqual({ hidden: 'unfetchable' });
  line.asked();
  await line.sql(SAME_DAY);
  await line.run();
  expect(line.asked()).toEqual([]);
  end();
  await line.sql(A_DAY_AGO);
  await line.run();
  expect(await line.completeness()).toEqual({ hidden: 'complete' });
});

test('an unfetchable call of long ago is complete once its account is here, and nobody is asked', async () => {
  const [old, dead] = ['old', 'dead'].map((id) =>
    makeConversation({ id, startedAt: minutesAgo(20 * DAY), hasAudio: false }),
  );
  if (old === undefined || dead === undefined) throw new Error('There are two.');
  const line = await aComparison([dead]);
  line.worker.dying.add('dead');
  await line.sql(`INSERT INTO conversations (id, status, clocks, started_at, created_at, updated_at, completeness)
    SELECT id, 'done', '{}', now() - interval '20 days', now(), now(), 'missing' FROM unnest('{old,dead}'::text[]) AS id`);
  await line.fetch('old');
  await line.fetch('dead');
  expect(await line.completeness()).toEqual({ old: 'unfetchable', dead: 'unfetchable' });
  const reasons = [
    { id: 'dead', reason: 'what the provider gave cannot be applied (an_old_bug)' },
    { id: 'old', reason: expect.stringContaining('404') },
  ];
  expect(await line.store.reconcile.unfetchable({ limit: 9 })).toEqual(reasons);
  expect(await line.store.reconcile.unfetchable({ after: 'dead', limit: 9 })).toEqual(reasons.slice(1));
  // It says why also where the operation is gone that found it.
  await line.sql('DELETE FROM operations');
  expect(await line.store.reconcile.unfetchable({ limit: 9 })).toEqual(reasons);
  line.asked();
  await line.run();
  expect(await line.completeness()).toEqual({ old: 'unfetchable', dead: 'unfetchable' });

  line.worker.dying.clear();
  await line.receive(old);
  await line.receive(dead);
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(await line.completeness()).toEqual({ old: 'complete', dead: 'complete' });
  expect(line.asked()).toEqual([]);
});

test('an account without turns is an account: it came, and is not fetched', async () => {
  const line = await aComparison([silent('no_words')]);
  await line.receive(silent('no_words'));
  expect(await line.run()).toMatchObject({ status: 'done', total: 0 });
  expect(line.asked()).toEqual([]);
  expect(await line.completeness()).toEqual({ no_words: 'complete' });
});

test('audio of a call that nobody knew has the time of its account; what was dead before is waited for', async () => {
  const startedAt = minutesAgo(5 * DAY);
  const line = await aComparison([makeConversation({ id: 'one', startedAt, durationSeconds: 60 })]);
  expect(await line.fetch('one')).toMatchObject({ status: 'done' });
  const [audio] = await line.sql(
    `SELECT extract(epoch FROM event_at)::int AS at FROM webhook_events WHERE type = 'post_call_audio'`,
  );
  expect(audio).toEqual({ at: startedAt + 60 });
  // As if that had been dead.
  await line.sql(`DELETE FROM conversation_recordings; UPDATE conversations SET completeness = 'missing';
    UPDATE webhook_events SET outcome = 'dead', error = '{"code": "a", "message": "b", "attempts": 1}' WHERE type = 'post_call_audio'`);
  expect(await line.fetch('one')).toMatchObject({ status: 'done' });
  expect(await line.completeness()).toEqual({ one: 'complete' });
});

test('while no run was good the window begins where the first one began', async () => {
  const line = await aComparison([makeConversation({ id: 'old', startedAt: minutesAgo(9 * DAY), hasAudio: false })]);
  await line.sql(`INSERT INTO reconciliations (id, window_from, window_to, started_at, finished_at, error)
    VALUES (gen_random_uuid(), now() - interval '10 days', now() - interval '7 days', now(), now(), 'The key is refused.')`);
  expect(await line.run()).toMatchObject({ status: 'done', done: 1 });
  expect(await line.completeness()).toEqual({ old: 'complete' });
});
