import { randomUUID } from 'node:crypto';
import type { DeadLetters } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { insertEvents } from '../../../test/support/ledger.ts';
import { restoreDeadLetters } from '../src/dead-letters/restore-dead-letters.ts';
import { delivery, message, openWork, type Work } from './support/work.ts';

const WITHIN = { timeout: 20_000, interval: 20 };

/** The worker's functions, with what lays letters; `checks` counts how often the ledger was gone through. */
async function openRestoring(from?: () => number) {
  const work = await openWork();
  const own = work.context.deadLetters.check;
  let checks = 0;
  const check: DeadLetters['check'] = {
    ...own,
    async finish() {
      await own.finish();
      checks += 1;
    },
  };
  const restoring = restoreDeadLetters({ ...work.context, check, isWaiting: () => false, from, askMs: 20 });
  onTestFinished(async () => {
    await restoring.stop();
  });
  return { ...work, checks: () => checks, own };
}

/** Takes every letter away, and what says that they are there: as an emptied Redis. */
async function empty({ queues, own }: Work & { own: DeadLetters['check'] }): Promise<void> {
  await queues.deadLetters.obliterate({ force: true });
  await own.fail();
}

/** The letters that rest, once there are so many of them, by id. */
async function resting({ queues }: Work, count: number) {
  await vi.waitUntil(async () => (await queues.deadLetters.getFailedCount()) === count, WITHIN);
  const jobs = await queues.deadLetters.getFailed(0, count);
  return new Map(jobs.map((job) => [job.id, { data: job.data, error: job.failedReason }]));
}

/** What a letter's event carries, as text. */
const fields = (data: unknown) => JSON.stringify(data).match(/"(receivedAt|signedAt|encoding|body)":[^,}]+/g);

const ledger = (work: Work) => work.admin('SELECT id::text, outcome, error FROM webhook_events ORDER BY id');

test('what Redis loses of the dead letters is there again, with its bytes, its error and its attempts', async () => {
  const work = await openRestoring();
  const bodies = ['[', 'no json', '{"type": "conversation.message"}'];
  const deliveries = [
    ...bodies.map((body) => delivery(body)),
    delivery(Buffer.from([255, 0]).toString('base64'), 'base64'),
  ];
  await work.process(deliveries, { attempt: 3 });
  work.letters.start();
  const before = await resting(work, 4);
  const rows = await ledger(work);

  await empty(work);
  const after = await resting(work, 4);
  const [done] = after.values();
  expect(done?.data).toMatchObject({ died: { attempts: 4 } });
  const seen = (letters: typeof after) =>
    new Map([...letters].map(([id, { error, data }]) => [id, [error, fields(data)]]));
  expect(seen(after)).toEqual(seen(before));
  // To be enqueued again is no attempt.
  expect(await ledger(work)).toEqual(rows);
});

test('a letter of a large body is there again with the reference of that body, under the same id', async () => {
  const work = await openRestoring();
  const reference = {
    eventId: '01234567-89ab-cdef-0123-456789abcdef',
    bytes: 20_000_000,
    bodyUrl: 's3://calls/bodies/1',
    fault: { code: 'body_too_large', message: 'The body has 20,000,000 bytes.' },
  };
  await work.process([{ ...delivery('{"type":"x.y"}'), reference }]);
  work.letters.start();
  const id = `dead-${reference.eventId}`;
  const letter = { data: { events: [{ body: '{"type":"x.y"}', reference }] } };
  expect((await resting(work, 1)).get(id)).toMatchObject({
    ...letter,
    error: expect.stringContaining('The body has 20,000,000 bytes.'),
  });
  await empty(work);
  expect((await resting(work, 1)).get(id)).toMatchObject(letter);
});

test('a letter that a retry has applied does not come back, and one that dies again does', async () => {
  const work = await openRestoring();
  await work.admin(`ALTER TABLE conversation_messages ADD CONSTRAINT no_hello CHECK (content <> 'hello')`);
  await work.process([message('c1', 'hello'), delivery('[')]);
  work.letters.start();
  await resting(work, 2);
  await empty(work);
  await resting(work, 2);

  await work.admin('ALTER TABLE conversation_messages DROP CONSTRAINT no_hello');
  await work.queues.deadLetters.retryJobs({ state: 'failed' });
  const [left] = await resting(work, 1);
  expect(left?.[1].error).toContain('body_not_json');
  expect(await work.admin(`SELECT content FROM conversation_messages`)).toEqual([{ content: 'hello' }]);

  const checks = work.checks();
  await empty(work);
  await vi.waitUntil(() => work.checks() > checks, WITHIN);
  expect([...(await resting(work, 1)).keys()]).toEqual([left?.[0]]);
  expect(await work.queues.deadLetters.getJobCountByTypes('wait', 'active', 'failed')).toBe(1);
});

test('letters are enqueued in thousands, and the large ones in batches of bounded bytes', async () => {
  const work = await openRestoring();
  const fault = `'{"code": "body_not_json", "message": "no", "attempts": 1}'::jsonb AS error`;
  await work.admin(
    insertEvents(`SELECT gen_random_uuid() AS id, now() - i * interval '1 ms' AS received_at, 'dead' AS outcome, ${fault},
      convert_to('no json ' || i, 'UTF8') AS body FROM generate_series(1, 1700) i`),
  );
  await work.admin(
    insertEvents(`SELECT gen_random_uuid() AS id, now() AS received_at, 'dead' AS outcome, ${fault},
      convert_to(repeat('x', 5 * 1024 * 1024) || i, 'UTF8') AS body FROM generate_series(1, 3) i`),
  );
  await empty(work);
  await vi.waitUntil(async () => (await work.queues.deadLetters.getWaitingCount()) === 1703, WITHIN);
  const found = await work.queues.deadLetters.getWaiting(0, 1703);
  expect(new Set(found.map(({ data }) => JSON.stringify(data).match(/"body":"(.{12})/)?.[1])).size).toBe(1701);
});

test('a letter whose event was applied meanwhile by another way goes away by itself', async () => {
  const work = await openRestoring();
  const died = { code: 'unknown', message: 'no', attempts: 1 };
  const event = message('c2', 'hello');
  await work.process([event]);
  const [row] = await ledger(work);
  await work.context.deadLetters.add([{ id: String(row?.['id']), event, died }]);
  work.letters.start();
  await vi.waitUntil(async () => (await work.queues.deadLetters.getJobCountByTypes()) === 0, WITHIN);
  expect(await ledger(work)).toEqual([{ ...row, outcome: 'applied', error: null }]);
});

test('a letter is applied under the ledger key that it was made for', async () => {
  const work = await openRestoring();
  const id = randomUUID();
  const event = message('c3', 'hello');
  await work.admin(
    insertEvents(`SELECT '${id}'::uuid AS id, now() AS received_at, 'dead' AS outcome,
      '{"code": "unknown", "message": "no", "attempts": 1}'::jsonb AS error, convert_to('${event.body}', 'UTF8') AS body`),
  );
  work.letters.start();
  await empty(work);
  await resting(work, 1);
  await work.queues.deadLetters.retryJobs({ state: 'failed' });
  await vi.waitUntil(async () => (await work.queues.deadLetters.getJobCountByTypes()) === 0, WITHIN);
  expect(await work.admin('SELECT id::text, outcome FROM webhook_events')).toEqual([{ id, outcome: 'applied' }]);
});

test('a dead event whose body is gone is told of loudly, and keeps no other from coming back', async () => {
  const work = await openRestoring();
  await work.process([delivery('['), delivery('no json')]);
  work.letters.start();
  const before = await resting(work, 2);
  const [gone] = await work.admin(`DELETE FROM webhook_bodies WHERE body = '[' RETURNING event_id::text AS id`);
  await empty(work);
  const after = await resting(work, 1);
  expect([...after.keys()]).toEqual([...before.keys()].filter((id) => id !== `dead-${String(gone?.['id'])}`));
  await vi.waitUntil(() => work.log().includes('whose bodies are gone'), WITHIN);
  const told = work
    .log()
    .split('\n')
    .find((line) => line.includes('whose bodies are gone'));
  expect(JSON.parse(told ?? '')).toMatchObject({ level: 50, events: 1, first: gone?.['id'] });
});

test('letters of events whose bodies are not kept any more do not come back, and are no fault', async () => {
  const old = delivery('[');
  const work = await openRestoring(() => old.receivedAt + 1);
  await work.process([old, { ...delivery('no json'), receivedAt: old.receivedAt + 1 }]);
  work.letters.start();
  const before = await resting(work, 2);
  await empty(work);
  const [after] = await resting(work, 1);
  expect(after?.[1].data).toMatchObject({ events: [{ body: 'no json' }] });
  expect(before.size).toBe(2);
  const checks = work.checks();
  await work.own.fail();
  await vi.waitUntil(() => work.checks() > checks, WITHIN);
  expect(await work.queues.deadLetters.getJobCountByTypes('wait', 'active', 'failed')).toBe(1);
  expect(work.log()).not.toContain('whose bodies are gone');
});
