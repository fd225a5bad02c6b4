import { erasureWords } from '../../src/erase/erasure-filter.ts';
import { eraseKind } from '../../src/erase/erase.ts';
import { createEngine } from '../../src/engine.ts';
import { hashSubject, type Subject } from '@landline/store';
import { bodyBytes, type Delivery } from '@landline/webhook/delivery';
import { expect, test } from 'vitest';
import { makeConversation, webhookOf } from '../../../../test/support/provider/conversation.ts';
import { aComparison, minutesAgo, webhook } from './a-comparison.ts';

type Line = Awaited<ReturnType<typeof aComparison>>;

/** Somebody asks for an erasure, and it runs to its end. Redis holds these events meanwhile, nothing by default. Returns which it takes out. */
async function erase({ store }: Line, subject: Subject, held: readonly Delivery[] = []): Promise<boolean[]> {
  let taken: boolean[] = [];
  const none = { waiting: 0, resting: 0, dead_letters: 0, rejected: 0, requests: 0, in_hand: 0 };
  const kind = eraseKind({
    store,
    recordings: store.recordingsToRemove,
    storage: { remove: () => Promise.resolve() },
    forgetJobs: async (decide) => {
      const events = held.map((delivery) => ({
        delivery,
        body: bodyBytes(delivery),
        receivedAt: delivery.receivedAt,
      }));
      taken = await decide(events);
      return none;
    },
    forgetRequests: () => Promise.resolve(none),
  });
  const filter = erasureWords({ subject, hash: await hashSubject(subject), journalHours: 1 });
  const { id } = await store.operations.request({ kind: kind.kind, filter });
  await createEngine({ store: store.operations, kinds: [kind] }).runDue(new AbortController().signal);
  expect(await store.operations.get(id)).toMatchObject({ status: 'done' });
  return taken;
}

const USER = { by: 'user', value: 'user_7' } as const;

/** A call of that user, in whose words nobody else's are. */
const aCall = (id: string, more: Partial<Parameters<typeof makeConversation>[0]> = {}) =>
  makeConversation({ id, userId: USER.value, number: '+12025550188', title: 'Zaphod', summary: 'Zaphod', ...more });

/** All that is left of that user's calls. */
async function leftOf({ sql }: Line) {
  const [calls, profiles, words, bodies] = await Promise.all([
    sql(`SELECT id, agent_id, status, direction, duration_seconds, extract(epoch FROM started_at)::int AS started_at, user_id, external_number, title, summary, end_reason, call_successful, completeness
      FROM conversations ORDER BY id`),
    sql('SELECT user_id FROM user_profiles'),
    sql('SELECT conversation_id FROM conversation_messages'),
    sql('SELECT event_id FROM webhook_bodies'),
  ]);
  return { calls, profiles, words, bodies };
}

/** What is left of a call that lasted a minute. */
const mark = (id: string, startedAt: number) => ({
  id,
  agent_id: 'agent_front_desk',
  status: 'done',
  direction: 'inbound',
  duration_seconds: 60,
  started_at: startedAt,
  user_id: null,
  external_number: null,
  title: null,
  summary: null,
  end_reason: null,
  call_successful: 'success',
  completeness: 'erased',
});

test('nothing is kept of whose erasure runs to its end while the account is on its way, or before it is fetched', async () => {
  const startedAt = minutesAgo(120);
  const line = await aComparison([aCall('on_its_way', { startedAt })]);
  line.worker.onJob = async () => {
    line.worker.onJob = undefined;
    await erase(line, USER);
  };
  expect(await line.run()).toMatchObject({
    status: 'done',
    total: 1,
    message: 'Fetched 0 transcripts and 0 recordings.',
  });
  const nothing = { profiles: [], words: [], bodies: [] };
  expect(await leftOf(line)).toEqual({ ...nothing, calls: [mark('on_its_way', startedAt)] });
  expect(await line.sql('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'ignored' }]);
  expect(line.asked()).toEqual(['/on_its_way']);

  line.provider.conversations.set('later', aCall('later', { startedAt }));
  expect(await line.run()).toMatchObject({
    status: 'done',
    total: 1,
    message: 'Fetched 0 transcripts and 0 recordings.',
  });
  const calls = [mark('later', startedAt), mark('on_its_way', startedAt)];
  expect(await leftOf(line)).toEqual({ ...nothing, calls });
  expect(line.asked()).toEqual(['/later']);
  expect(line.fetched()).toBe(0);
  // One that the list has not, nor anybody here.
  const longAgo = minutesAgo(9_000);
  line.provider.conversations.set('by_hand', aCall('by_hand', { startedAt: longAgo }));
  await erase(line, USER);
  await line.fetch('by_hand');
  const byHand = { ...mark('by_hand', longAgo), direction: null, call_successful: null };
  expect((await leftOf(line)).calls[0]).toEqual(byHand);
});

test('nothing is kept of an account that waits for a worker while its person is erased, whoever asked for it is gone, and the next call stays', async () => {
  const startedAt = minutesAgo(120);
  const line = await aComparison([aCall('waits', { startedAt })], { settleMs: 1 });
  line.worker.held = [];
  await line.run();
  expect(line.worker.held).toHaveLength(1);
  const waiting = line.worker.held;
  line.worker.held = undefined;
  // An erasure that was asked for before the account came, and begins now, does not know it by its receipt.
  await erase(line, USER);
  const again = aCall('again', { startedAt: minutesAgo(-1) });
  await line.receive(again);
  await line.worker.work(waiting.flat());
  const { calls, profiles, words, bodies } = await leftOf(line);
  expect(calls).toEqual([
    expect.objectContaining({ id: 'again', user_id: USER.value, completeness: null }),
    mark('waits', startedAt),
  ]);
  expect(profiles).toEqual([{ user_id: USER.value }]);
  expect([words.length, bodies.length]).toEqual([again.transcript.length, 1]);
  await line.run();
  expect(await line.completeness()).toMatchObject({ waits: 'erased' });
});

test('a dead event of an account, and its dead letter, go with the person who was erased while it was on its way', async () => {
  const line = await aComparison([aCall('dead')]);
  line.worker.dying.add('dead');
  line.worker.onJob = async () => void (await erase(line, USER));
  expect(await line.run()).toMatchObject({ status: 'done' });
  expect(await leftOf(line)).toMatchObject({ calls: [{ id: 'dead', completeness: 'erased' }], bodies: [] });
  expect(line.worker.letters).toEqual(new Set());
});

test('an erasure takes a fetched account out of Redis by when its call was, and a webhook by when it came', async () => {
  const line = await aComparison([aCall('waits')], { settleMs: 1 });
  line.worker.held = [];
  await line.run();
  const [fetched] = line.worker.held.flat();
  if (fetched === undefined) throw new Error('Nothing was fetched.');
  // It was fetched when the erasure had been asked for, and had not begun.
  const late = { ...fetched, receivedAt: Date.now() + 60_000 };
  expect(await erase(line, USER, [late])).toEqual([true]);
  expect(await line.completeness()).toEqual({ waits: 'erased' });
  const next = { ...webhook(webhookOf(aCall('next'))), receivedAt: Date.now() + 60_000 };
  expect(await erase(line, USER, [next])).toEqual([false]);
});

test('the title and the summary of a call that never came go with the erasure of any person', async () => {
  const line = await aComparison([aCall('young', { startedAt: minutesAgo(20) })]);
  const titles = () => line.sql('SELECT id, title, summary, completeness FROM conversations ORDER BY id');
  await line.run();
  expect(await titles()).toEqual([{ id: 'young', title: 'Zaphod', summary: 'Zaphod', completeness: 'waiting' }]);
  // Nothing here says whose it is.
  await erase(line, USER);
  await line.sql(`UPDATE erasures SET requested_at = requested_at - interval '15 minutes'`);
  line.provider.conversations.set('since', aCall('since', { startedAt: minutesAgo(10) }));
  await line.run();
  const since = { id: 'since', title: 'Zaphod', summary: 'Zaphod', completeness: 'waiting' };
  expect(await titles()).toEqual([since, { id: 'young', title: null, summary: null, completeness: 'waiting' }]);
  line.provider.conversations.delete('young');
  await line.sql(
    `UPDATE conversations SET started_at = started_at - interval '2 hours', ended_at = ended_at - interval '2 hours' WHERE id = 'young'`,
  );
  await line.run();
  expect(await titles()).toEqual([since, { id: 'young', title: null, summary: null, completeness: 'unfetchable' }]);
});
