import type { ListedConversation } from '@landline/provider';
import { hashSubject } from '@landline/store';
import { expect, test } from 'vitest';
import { makeConversation, type Account } from '../../../../test/support/provider/conversation.ts';
import { aComparison, minutesAgo } from './a-comparison.ts';
import { SAME_DAY } from './same-day.ts';

/** A call of which neither the list nor the account says when it began. */
function withoutStart(id: string): Account {
  const call = makeConversation({ id, userId: `user_${id}` });
  call.metadata.start_time_unix_secs = 0;
  call.metadata.accepted_time_unix_secs = null;
  return call;
}

const LISTED: ListedConversation = {
  id: 'one',
  agentId: 'agent_front_desk',
  status: 'done',
  startedAt: 0,
  isStartKnown: false,
  durationSeconds: 60,
  messageCount: 4,
  direction: null,
  title: null,
  summary: null,
  callSuccessful: null,
  endReason: null,
};

test('a call whose start nobody knows has that of when it was first seen, whatever the window is and whenever it is fetched', async () => {
  const line = await aComparison([withoutStart('one')]);
  const { client } = line;
  line.ports.provider = {
    // The list's reader gives the window's beginning in its place.
    async *conversations({ from }) {
      await Promise.resolve();
      yield [{ ...LISTED, startedAt: from }];
    },
    conversation: (id, signal) => client.conversation(id, signal),
    audio: (id, read, signal) => client.audio(id, read, signal),
  };
  const start = async () =>
    (await line.sql('SELECT extract(epoch FROM started_at)::float8 * 1000 AS at, completeness FROM conversations'))[0];
  const before = Date.now();
  await line.run();
  const first = await start();
  expect(first?.['completeness']).toBe('waiting');
  expect(Number(first?.['at'])).toBeGreaterThanOrEqual(before);
  await line.run(minutesAgo(60) * 1000);
  expect(await start()).toEqual(first);
  // An hour later.
  await line.sql(
    `UPDATE conversations SET started_at = started_at - interval '1 hour', ended_at = ended_at - interval '1 hour'`,
  );
  const seenAt = Number(first?.['at']) - 3_600_000;
  await line.run(minutesAgo(60) * 1000);
  const times = `SELECT DISTINCT extract(epoch FROM event_at)::float8 * 1000 AS at FROM webhook_events`;
  expect(await line.sql(times)).toEqual([{ at: seenAt + 60_000 }]);
  expect(await line.sql('SELECT count(*)::int AS n FROM webhook_events')).toEqual([{ n: 2 }]);
  // What is fetched again has the same bytes.
  await line.fetch('one');
  expect(await line.sql('SELECT count(*)::int AS n FROM webhook_events')).toEqual([{ n: 2 }]);
  // Also of one that nobody knew.
  line.provider.conversations.set('by_hand', withoutStart('by_hand'));
  await line.fetch('by_hand');
  await line.fetch('by_hand');
  expect(await line.sql('SELECT count(*)::int AS n FROM webhook_events')).toEqual([{ n: 4 }]);
});

test('a start that nobody knows, or that is still to come, outranks no erasure', async () => {
  const ahead = makeConversation({ id: 'ahead', userId: 'user_ahead', startedAt: minutesAgo(-22 * 60) });
  const line = await aComparison([withoutStart('unknown'), ahead]);
  for (const id of ['unknown', 'ahead']) {
    // oxlint-disable no-await-in-loop -- two
    const hash = await hashSubject({ by: 'user', value: `user_${id}` });
    await line.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at, done_at)
      VALUES (gen_random_uuid(), 'user', '${hash}', now() - interval '5 days', now() - interval '5 days')`);
    await line.fetch(id);
    // oxlint-enable no-await-in-loop
  }
  expect(await line.completeness()).toEqual({ unknown: 'erased', ahead: 'erased' });
  expect(await line.sql('SELECT id FROM webhook_events')).toEqual([]);
});

test('a call of which nobody can say whether its person was erased is unfetchable, is asked for once a day, and nothing of it is kept', async () => {
  const line = await aComparison([makeConversation({ id: 'one', userId: 'user_7', number: null })]);
  // More than are compared, and none of these is a user's: no hash is made.
  await line.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at, done_at)
    SELECT gen_random_uuid(), 'number', 'x', now(), now() FROM generate_series(1, 1001)`);
  expect(await line.run()).toMatchObject({ status: 'done', total: 1, failed: 1 });
  expect(await line.completeness()).toEqual({ one: 'unfetchable' });
  expect(await line.reasons()).toEqual({ one: expect.stringContaining('more persons were erased') });
  expect(line.asked()).toEqual(['/one']);
  await line.sql(SAME_DAY);
  await line.run();
  expect(line.asked()).toEqual([]);
  await line.sql(`UPDATE reconciliations SET window_to = window_to - interval '1 day'`);
  await line.run();
  expect(line.asked()).toEqual(['/one']);
  expect(await line.sql('SELECT id FROM webhook_events')).toEqual([]);
  // Nobody was erased since it began.
  await line.sql(`UPDATE erasures SET requested_at = now() - interval '5 years'`);
  expect(await line.fetch('one')).toMatchObject({ status: 'done' });
});
