import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@landline/process';
import { createEngine, openRemover, policyWords, retentionKind } from '@landline/operations';
import type { RetentionStore } from '@landline/store';
// oxlint-disable-next-line no-restricted-imports -- it holds a table as any client may
import { Client } from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { letterOf } from '../src/dead-letters/letter-of.ts';
import { createWorker } from '../src/worker.ts';
import { aPlace, column, DAY, HOUR, iso, message, NOW, POLICY, type Place } from './support/a-place.ts';

const WITHIN = { timeout: 25_000, interval: 20 };

/** The days of May and before for which bodies have a partition. */
const bodyDays = (place: Place) =>
  column(
    place,
    `SELECT right(relname, 8) FROM pg_class WHERE relname ~ '^webhook_bodies_20260[1-6]' AND relkind = 'r' ORDER BY 1`,
  );

const files = async ({ folder }: Place) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.mp3')).toSorted();

/** One thing of a kind: laid down at a time, and whether it is there. */
interface Kind {
  /** When it goes, as the time in unix ms before which it is due. */
  cutoff: number;
  lay: (place: Place, name: string, at: number) => Promise<unknown>;
  /** The names of those that are there. */
  left: (place: Place) => Promise<unknown>;
}

const startOfDay = (at: number) => at - (at % DAY);
const insertConversation = ({ sql }: Place, id: string, columns: Record<string, number>) => {
  const given = { started_at: NOW - HOUR, ...columns };
  const names = Object.keys(given);
  const times = Object.values(given).map((at) => `'${iso(at)}'`);
  return sql(`INSERT INTO conversations (id, status, title, clocks, created_at, updated_at, ${names.join()})
    VALUES ('${id}', 'done', 'A title', '{}', now(), now(), ${times.join()})`);
};
const titled = (place: Place) => column(place, 'SELECT id FROM conversations WHERE title IS NOT NULL ORDER BY id');

const KINDS: Readonly<Record<string, Kind>> = {
  'bodies, by the day': {
    cutoff: startOfDay(NOW - POLICY.bodies * DAY),
    lay: (place, name, at) => place.apply(message(name), at),
    left: (place) =>
      column(
        place,
        `SELECT conversation_id FROM webhook_events e JOIN webhook_bodies b ON b.event_id = e.id ORDER BY 1`,
      ),
  },
  'ids of the ledger': {
    cutoff: startOfDay(NOW - POLICY.events * DAY),
    lay: (place, name, at) => place.apply(message(name), at, name === 'before' ? 'dead' : undefined),
    left: (place) => column(place, `SELECT conversation_id FROM webhook_events ORDER BY 1`),
  },
  conversations: {
    cutoff: NOW - 30 * DAY,
    lay: (place, name, at) => insertConversation(place, name, { started_at: at }),
    left: titled,
  },
  'transcripts by order': {
    cutoff: NOW + 1,
    lay: (place, name, at) => insertConversation(place, name, { delete_transcript_at: at }),
    left: titled,
  },
  'audio by order': {
    cutoff: NOW + 1,
    lay: async (place, name, at) => {
      await insertConversation(place, name, { delete_audio_at: at });
      await place.keepRecording(name, NOW - HOUR);
    },
    left: async (place) => (await files(place)).map((path) => path.replace(/^.*\/(.*)\.mp3$/, '$1')),
  },
  recordings: {
    cutoff: NOW - 20 * DAY,
    lay: (place, name, at) => place.keepRecording(name, at),
    left: async (place) => (await files(place)).map((path) => path.replace(/^.*\/(.*)\.mp3$/, '$1')),
  },
  'refused requests': {
    cutoff: NOW - POLICY.rejected * DAY,
    lay: ({ sql }, name, at) =>
      sql(`INSERT INTO rejected_requests (id, received_at, code, cause, advice, headers)
        VALUES (gen_random_uuid(), '${iso(at)}', '${name}', 'c', 'a', '{}')`),
    left: (place) => column(place, 'SELECT code FROM rejected_requests ORDER BY 1'),
  },
};

test.each(Object.entries(KINDS))('%s: what is due goes, and what is due a millisecond later stays', async (_, kind) => {
  const place = await aPlace();
  const { cutoff, lay, left } = kind;
  await lay(place, 'before', cutoff - 1);
  await lay(place, 'at', cutoff);
  await lay(place, 'lately', Math.max(cutoff, NOW) + HOUR);
  const ended = await place.run();
  expect(ended).toMatchObject({ status: 'done', failed: 0, message: expect.stringMatching(/^Deleted: [12] /) });
  expect(await left(place)).toEqual(['at', 'lately']);
  expect(await place.run()).toMatchObject({ status: 'done', total: 0, done: 0, message: null });
});

test('what has no days is kept for ever', async () => {
  const place = await aPlace();
  await insertConversation(place, 'old', { started_at: NOW - 5_000 * DAY });
  await place.keepRecording('old', NOW - 5_000 * DAY);
  const { conversations: _, recordings: __, ...policy } = POLICY;
  expect(await place.run({ policy })).toMatchObject({ status: 'done', done: 0 });
  expect(await titled(place)).toEqual(['old']);
  expect(await files(place)).toHaveLength(1);
});

test('partitions of bodies are dropped, and no row is deleted from one', async () => {
  const place = await aPlace();
  const cutoff = startOfDay(NOW - POLICY.bodies * DAY);
  for (const [name, at] of [
    ['a', cutoff - 3 * DAY],
    ['b', cutoff - 1],
    ['c', cutoff],
    ['d', NOW],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await place.apply(message(name), at);
  }
  await place.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'deleted'; END $$;
    CREATE TRIGGER no_delete BEFORE DELETE ON webhook_bodies FOR EACH ROW EXECUTE FUNCTION refuse()`);
  expect(await bodyDays(place)).toEqual(['20260519', '20260521', '20260522', '20260601']);
  expect(await place.run()).toMatchObject({ status: 'done', done: 2, message: 'Deleted: 2 days of bodies.' });
  expect(await bodyDays(place)).toEqual(['20260522', '20260601']);
  expect(
    await place.sql(
      `SELECT sum(n_tup_del)::int AS deleted FROM pg_stat_user_tables WHERE relname LIKE 'webhook_bodies_%'`,
    ),
  ).toEqual([{ deleted: 0 }]);
  // The events are there, and a repeat of one without a body is a duplicate.
  expect(await column(place, 'SELECT count(*)::int FROM webhook_events')).toEqual([4]);
});

test('a day that is in use is tried again, and keeps no event waiting for long', async () => {
  const place = await aPlace();
  await place.apply(message('old'), NOW - 20 * DAY);
  const reading = new Client({ connectionString: place.adminUrl });
  onTestFinished(() => reading.end());
  await reading.connect();
  await reading.query('BEGIN; SELECT count(*) FROM webhook_bodies');
  const tried: string[] = [];
  const dropBodies: RetentionStore['dropBodies'] = (day) => {
    tried.push(day);
    return place.store.retention.dropBodies(day);
  };
  const running = place.run({ retention: { ...place.store.retention, dropBodies } });
  // An event that waited for as long as the table is in use would never come: it is read until all are there.
  for (let i = 0; i < 20 || tried.length < 3; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await place.apply(message(`new ${i}`), Date.now());
  }
  await reading.query('COMMIT');
  expect(await running).toMatchObject({ status: 'done', message: 'Deleted: 1 day of bodies.' });
  // For so long one that comes while a try waits for the table waits as well.
  const settings = await column(place, `SELECT proconfig FROM pg_proc WHERE proname = 'landline_drop_body_partition'`);
  expect(settings).toEqual([expect.arrayContaining(['lock_timeout=200ms'])]);
});

test('a dead event goes by its age as well: its letter with its body, then its id; the letter of a forgotten one goes', async () => {
  const place = await aPlace();
  const ids: string[] = [];
  for (const days of [50, 20, 1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    ids.push(await place.apply(message(`${days} days`), NOW - days * DAY, 'dead'));
  }
  await place.letters.add((await place.store.readDead(ids)).flatMap(letterOf));
  // A letter rests when a worker has looked at it.
  const worker = createWorker({ ...place, concurrency: 1, logger: createLogger({ name: 'worker', level: 'silent' }) });
  worker.start();
  await vi.waitUntil(async () => (await place.queues.deadLetters.getFailedCount()) === 4, WITHIN);
  await worker.stop({ timeoutMs: 4_000 });
  // As by a worker that has died before it took the letter away.
  await place.store.forgetConversations(['2 days'], { transcript: true, audio: true });
  expect(await place.run()).toMatchObject({ status: 'done', message: expect.stringContaining('3 dead letters') });
  expect((await place.queues.deadLetters.getFailed()).map(({ id }) => id)).toEqual([`dead-${ids[2]}`]);
  expect(await column(place, 'SELECT conversation_id FROM webhook_events ORDER BY received_at')).toEqual([
    '20 days',
    '2 days',
    '1 days',
  ]);
});

/** The account of a call, which orders that all be deleted at a time in unix seconds. */
const transcript = (id: string, at: number) => ({
  type: 'post_call_transcription',
  event_timestamp: NOW / 1000 - 3_600,
  data: {
    conversation_id: id,
    agent_id: 'agent',
    user_id: 'Ada',
    status: 'done',
    transcript: [{ role: 'user', message: 'My name is Ada.', time_in_call_secs: 1 }],
    metadata: {
      start_time_unix_secs: NOW / 1000 - 4_000,
      call_duration_secs: 60,
      deletion_settings: { deletion_time_unix_secs: at, delete_transcript_and_pii: true, delete_audio: true },
    },
    analysis: { transcript_summary: 'Ada called.' },
  },
});

describe('what the account of a call orders to be deleted', () => {
  test('is deleted by the next run, also where the time was over when it came, and does not come back', async () => {
    const place = await aPlace();
    const past = transcript('past', NOW / 1000 - 86_400);
    await place.apply(message('past', 'I am Ada.'), NOW - HOUR);
    await place.apply(past, NOW - HOUR);
    await place.apply(transcript('future', NOW / 1000 + 60), NOW - HOUR);
    await place.keepRecording('past', NOW - HOUR);
    await place.keepRecording('future', NOW - HOUR);
    expect(
      await place.sql(`SELECT id, delete_transcript_at AS t, delete_audio_at AS a FROM conversations ORDER BY id`),
    ).toEqual([
      { id: 'future', t: new Date(NOW + 60_000), a: new Date(NOW + 60_000) },
      { id: 'past', t: new Date(NOW - DAY), a: new Date(NOW - DAY) },
    ]);

    const expectForgotten = async () => {
      expect(await column(place, 'SELECT conversation_id FROM conversation_messages')).toEqual(['future']);
      expect(
        await column(place, `SELECT conversation_id FROM webhook_events e JOIN webhook_bodies b ON b.event_id = e.id`),
      ).toEqual(['future']);
      expect(
        await place.sql(`SELECT user_id, summary, status, duration_seconds FROM conversations ORDER BY id`),
      ).toEqual([
        { user_id: 'Ada', summary: 'Ada called.', status: 'done', duration_seconds: 60 },
        { user_id: null, summary: null, status: 'done', duration_seconds: 60 },
      ]);
      expect(await files(place)).toEqual([join('agent', '2026', '01', '02', 'future.mp3')]);
    };
    expect(await place.run()).toMatchObject({
      status: 'done',
      message: 'Deleted: 1 transcript by order, 1 file.',
    });
    await expectForgotten();
    // The same again, and a later account.
    await place.apply(past, NOW);
    await place.apply({ ...past, event_timestamp: NOW / 1000 }, NOW);
    await expectForgotten();
    expect(await column(place, `SELECT id FROM webhook_events WHERE conversation_id = 'past'`)).toHaveLength(3);
  });

  test('of the audio alone leaves the rest, and an audio that comes late goes with the next run', async () => {
    const place = await aPlace();
    const body = transcript('call', NOW / 1000 - 1);
    body.data.metadata.deletion_settings.delete_transcript_and_pii = false;
    await place.apply(body, NOW - HOUR);
    expect(await place.run()).toMatchObject({ status: 'done', done: 0 });
    await place.keepRecording('call', NOW - HOUR);
    expect(await place.run()).toMatchObject({ message: 'Deleted: 1 recording by order, 1 file.' });
    expect(await files(place)).toEqual([]);
    expect(await column(place, 'SELECT content FROM conversation_messages')).toEqual(['My name is Ada.']);
    expect(await column(place, 'SELECT deleted_at IS NOT NULL FROM conversation_recordings')).toEqual([true]);
    // An order for a time that was over long before the last run.
    await insertConversation(place, 'overdue', { delete_audio_at: NOW - 40 * DAY });
    await place.keepRecording('overdue', NOW - HOUR);
    expect(await place.run()).toMatchObject({ message: 'Deleted: 1 recording by order, 1 file.' });
  });
});

test('a file that cannot be removed is told of, and goes with a later run', async () => {
  const place = await aPlace();
  const path = await place.keepRecording('call', NOW - 21 * DAY);
  const url = 's3://a-bucket/agent/2026/01/02/other.mp3';
  await place.sql(`INSERT INTO recordings_to_remove (url) VALUES ('${url}')`);
  const ended = await place.run();
  expect(ended).toMatchObject({ status: 'done', done: 2, failed: 1, total: 3 });
  expect(ended.message).toMatch(
    /^Deleted: 1 recording, 1 file\. Not removed: 1 file, tried again by the next run: .*RECORDINGS_URL/,
  );
  expect(await files(place)).toEqual([]);
  expect(path).toContain('call.mp3');
  expect(await column(place, 'SELECT url FROM recordings_to_remove')).toEqual([url]);
});

test('a whole body in the storage goes with the body in the ledger', async () => {
  const place = await aPlace();
  const path = await place.keepRecording('raw', NOW);
  const id = await place.apply(message('raw'), NOW - 20 * DAY);
  const reference = JSON.stringify({ eventId: id, bytes: 5, bodyUrl: `file:${path}`, other: 1 });
  await place.sql(`DELETE FROM conversation_recordings; UPDATE webhook_events SET body_reference = '${reference}'`);
  expect(await place.run()).toMatchObject({
    message: 'Deleted: 1 day of bodies, 1 body in the storage, 1 file.',
  });
  expect(await files(place)).toEqual([]);
  expect(await column(place, 'SELECT body_reference FROM webhook_events')).toEqual([
    { eventId: id, bytes: 5, other: 1 },
  ]);
});

test('a conversation that comes late is found within a day, and each hour those that have become old', async () => {
  const place = await aPlace();
  const policy = { ...POLICY, conversations: 30 };
  await place.run({ policy });
  await insertConversation(place, 'newly', { started_at: NOW - 30 * DAY + HOUR / 2 });
  await insertConversation(place, 'late', { started_at: NOW - 60 * DAY });
  await place.run({ policy, now: NOW + HOUR });
  expect(await titled(place)).toEqual(['late']);
  await place.run({ policy, now: NOW + DAY });
  expect(await titled(place)).toEqual([]);
});

/** Fills the ledger with ids that are due. */
const fillWithOld = ({ sql }: Place, count: number) =>
  sql(`INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
    SELECT gen_random_uuid(), now(), '${iso(NOW - 50 * DAY)}', 'webhook', 'applied', 0 FROM generate_series(1, ${count}) AS i`);

/** Calls `then` after the third batch of ids is deleted. */
function afterThree(retention: RetentionStore, then: () => unknown): RetentionStore {
  let batches = 0;
  return {
    ...retention,
    async deleteEvents(before, limit) {
      const deleted = await retention.deleteEvents(before, limit);
      batches += 1;
      if (batches === 3) await then();
      return deleted;
    },
  };
}

test('a run that is left in the middle goes on in another worker, at its step and with its counts', async () => {
  const place = await aPlace();
  await fillWithOld(place, 12_000);
  await place.apply(message('old'), NOW - 20 * DAY);
  const leaving = new AbortController();
  const retention = afterThree(place.store.retention, () => leaving.abort());
  const left = await place.run({ leaving: leaving.signal, retention });
  expect(left).toMatchObject({
    status: 'running',
    done: 3_001,
    checkpoint: { step: 6, counts: { days: 1, events: 3_000 } },
  });
  expect(await column(place, 'SELECT count(*)::int FROM webhook_events')).toEqual([9_001]);
  // The next one finds it by itself.
  await createEngine({
    store: place.store.operations,
    kinds: [retentionKind({ ...place, storage: openRemover(''), clock: () => NOW })],
  }).runDue(new AbortController().signal);
  expect(await place.store.operations.get(left.id)).toMatchObject({
    status: 'done',
    total: 12_001,
    done: 12_001,
    message: 'Deleted: 1 day of bodies, 12000 ids of the ledger.',
  });
});

test('one that is cancelled ends, and what it has done stays', async () => {
  const place = await aPlace();
  await fillWithOld(place, 12_000);
  let isCancelled = false;
  const three = afterThree(place.store.retention, async () => {
    const [running] = await place.store.operations.list(1);
    isCancelled = (await place.store.operations.cancel(running?.id ?? '')) !== undefined;
  });
  // From then on there is always something to do, until the run sees that it was cancelled.
  const deleteEvents: RetentionStore['deleteEvents'] = (before, limit) =>
    isCancelled ? Promise.resolve(1) : three.deleteEvents(before, limit);
  expect(await place.run({ retention: { ...three, deleteEvents } })).toMatchObject({ status: 'cancelled' });
  expect(await column(place, 'SELECT count(*)::int FROM webhook_events')).toEqual([9_000]);
});

test('a policy that cannot be meant deletes nothing, and says so', async () => {
  const place = await aPlace();
  await place.apply(message('old'), NOW - 50 * DAY);
  expect(await place.run({ policy: { ...POLICY, events: 5 } })).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('ledger_days is less than body_days'),
  });
  expect(await column(place, 'SELECT count(*)::int FROM webhook_bodies')).toEqual([1]);
});

test('two workers make one run for each tick, and tell how long ago it was', async () => {
  const place = await aPlace();
  await place.apply(message('old'), Date.now() - 20 * DAY);
  const everyMs = 700;
  const policy = { bodies: 10, events: 400, rejected: 14 };
  const logger = createLogger({ name: 'worker', level: 'silent' });
  const [first, second] = [1, 2].map(() => {
    const worker = createWorker({ ...place, concurrency: 1, logger, retention: { policy, everyMs } });
    onTestFinished(() => worker.stop({ timeoutMs: 4_000 }));
    worker.start();
    return worker;
  });
  const runs = () => place.store.operations.list(100);
  const done = async () => (await runs()).filter(({ status }) => status === 'done').toReversed();
  await vi.waitUntil(async () => (await done()).length >= 3, WITHIN);
  const all = await done();
  for (const [i, { createdAt, requestedBy, filter }] of all.entries()) {
    expect({ requestedBy, filter }).toEqual({ requestedBy: 'schedule', filter: policyWords(policy) });
    expect(createdAt - (all[i - 1]?.createdAt ?? -Infinity)).toBeGreaterThan(everyMs * 0.9 - 1);
  }
  expect(all.map((run) => run.done)).toEqual([1, ...all.slice(1).map(() => 0)]);
  for (const worker of [first, second]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    const text = (await worker?.metrics.registry.metrics()) ?? '';
    expect(Number(/^landline_retention_age_seconds (\S+)$/m.exec(text)?.[1])).toBeLessThan(60);
  }
});
