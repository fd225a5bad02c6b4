import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '@landline/store';
import { expect, test, vi } from 'vitest';
import { LEDGER } from '../../../test/support/ledger.ts';
import { delivery, message, openWork } from './support/work.ts';
import { jobSchema } from '../../../packages/queue/test/support/job-schema.ts';

const NOT_JSON = 'no JSON at all \u{1f4a5}';
const POISON = `ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'poison')`;

test('applies a group and says so, line by line, and no more than ids', async () => {
  const work = await openWork();
  const started = JSON.stringify({
    type: 'conversation.started',
    data: { conversation_id: 'conv_123', caller_number: '+12025550123', language: 'en' },
  });
  await work.process([delivery(started), message('conv_123', 'my secret words'), message('conv_456')]);

  const rows = await work.store.query('SELECT id FROM conversations ORDER BY id');
  expect(rows).toEqual([{ id: 'conv_123' }, { id: 'conv_456' }]);
  expect(work.messages()).toEqual([
    '✅ Conversation started: conv_123',
    '✅ Message stored: conv_123',
    '✅ Message stored: conv_456',
  ]);
  expect(work.log()).not.toMatch(/secret words|2025550123/);
});

test('records an unknown type as ignored', async () => {
  const work = await openWork();
  await work.process([delivery('{"type": "dubbing.finished", "data": {}}')]);
  expect(await work.store.query('SELECT type, outcome FROM webhook_events')).toEqual([
    { type: 'dubbing.finished', outcome: 'ignored' },
  ]);
  expect(work.messages()).toEqual(['Ignored, but recorded: dubbing.finished']);
});

test('an id or a type from outside cannot forge a line, nor steer a terminal', async () => {
  const work = await openWork();
  const id = 'c\u001b[2J\r\n✅ forged\u202e\u009b31m';
  await work.process([
    delivery(JSON.stringify({ type: 'conversation.started', data: { conversation_id: id } })),
    delivery(JSON.stringify({ type: 'x\u001b]0;title\u0007' })),
    delivery(JSON.stringify({ type: 'conversation.started', data: { conversation_id: {} } })),
  ]);
  expect(await work.store.query('SELECT id FROM conversations')).toEqual([{ id }]);
  expect(work.messages().slice(0, 2)).toEqual([
    '✅ Conversation started: c\\u001b[2J\\u000d\\u000a✅ forged\\u202e\\u009b31m',
    'Ignored, but recorded: x\\u001b]0;title\\u0007',
  ]);
  for (const line of work.log().trim().split('\n')) expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
});

test('the same event twice in a group is applied once and counted as a duplicate', async () => {
  const work = await openWork();
  await work.process([message('c'), message('c')]);
  await work.process([message('c')]);
  expect(await work.store.query('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 1 }]);
  expect(await work.context.metrics.registry.metrics()).toMatch(/processed_total\{outcome="duplicate"\} 2/);
  // The console counts the same.
  await work.process([delivery('{"type": "dubbing.finished", "data": {}}'), delivery(NOT_JSON)]);
  expect(work.counted).toEqual({ applied: 1, receiptToRow: 1, duplicate: 2, ignored: 1, dead: 1 });
});

test('counts what was fetched beside what was applied, and says nothing by it of how quick the line is', async () => {
  const work = await openWork();
  await work.process([message('came'), { ...message('fetched'), origin: 'backfill' }]);
  expect(work.counted).toEqual({ applied: 2, fetched: 1, receiptToRow: 1 });
  expect(await work.context.metrics.registry.metrics()).toMatch(
    /processed_total\{outcome="applied"\} 2[^]*receipt_to_row_seconds_count 1\n/,
  );
});

test('isolates the events at fault: their neighbours are applied, they become dead letters with their exact bytes', async () => {
  const work = await openWork();
  await work.admin(POISON);
  const good = Array.from({ length: 49 }, (_, i) => message(`conv_${i}`));
  const bad = delivery(NOT_JSON);
  const bytes = delivery(Buffer.from([0xff, 0x00, 0xfe]).toString('base64'), 'base64');
  await work.process([...good.slice(0, 20), message('poison'), bad, ...good.slice(20), bytes]);

  expect(await work.store.query('SELECT count(*)::int AS n FROM conversations')).toEqual([{ n: 49 }]);
  const dead = await work.store.query(
    `SELECT error ->> 'code' AS code, error -> 'attempts' AS attempts, encode(body, 'base64') AS body, applied_at
     FROM ${LEDGER} WHERE outcome = 'dead' ORDER BY 1`,
  );
  expect(dead).toEqual([
    { code: '23514', attempts: 1, body: toBase64(message('poison').body), applied_at: null },
    { code: 'body_not_json', attempts: 1, body: toBase64(NOT_JSON), applied_at: null },
    { code: 'body_not_utf8', attempts: 1, body: bytes.body, applied_at: null },
  ]);
  const letters = await work.queues.deadLetters.getJobs(['waiting']);
  const bodies = letters.map((letter) => jobSchema.parse(letter.data).events[0]?.body);
  expect(new Set(bodies)).toEqual(new Set([message('poison').body, NOT_JSON, bytes.body]));
  expect(letters).toHaveLength(3);
  expect(work.log()).not.toContain('no JSON at all');
});

test('a job that is repeated after its dead letters were enqueued adds no second letter', async () => {
  const work = await openWork();
  const events = [delivery(NOT_JSON), message('c')];
  await work.process(events);
  await work.process(events);
  expect(await work.queues.deadLetters.getJobCountByTypes('waiting')).toBe(1);
  expect(
    await work.store.query(`SELECT error -> 'attempts' AS attempts FROM webhook_events WHERE outcome = 'dead'`),
  ).toEqual([{ attempts: 2 }]);
});

test('a dead letter fails with its own error, and applies once the cause is gone', async () => {
  const work = await openWork();
  await work.admin(POISON);
  await work.process([message('poison')]);
  work.letters.start();
  const [letter] = await vi.waitUntil(
    async () => {
      const failed = await work.queues.deadLetters.getJobs(['failed']);
      return failed.length > 0 && failed;
    },
    { timeout: 20_000 },
  );
  expect(letter?.failedReason).toMatch(/23514: .*refused/);
  expect(letter?.stacktrace?.[0]).toContain('DeadEventError');
  expect(await work.store.query(`SELECT error -> 'attempts' AS attempts FROM webhook_events`)).toEqual([
    { attempts: 2 },
  ]);

  await work.admin('ALTER TABLE conversations DROP CONSTRAINT refused');
  await letter?.retry();
  await vi.waitUntil(
    async () => (await work.queues.deadLetters.getJobCountByTypes('failed', 'waiting', 'active')) === 0,
    {
      timeout: 20_000,
    },
  );
  expect(await work.store.query('SELECT id FROM conversations')).toEqual([{ id: 'poison' }]);
  expect(await work.store.query('SELECT outcome, error FROM webhook_events')).toEqual([
    { outcome: 'applied', error: null },
  ]);
});

test('a fault that may pass: the whole job again, then without holding up its neighbours, at last a dead letter', async () => {
  const work = await openWork();
  // A class that no table names (P0001, raised by a trigger) may pass: it is not the data's fault for certain.
  await work.admin(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON conversations FOR EACH ROW WHEN (NEW.id = 'poison') EXECUTE FUNCTION refuse()`,
  );
  const events = [message('a'), message('poison'), message('b')];
  await expect(work.process(events)).rejects.toMatchObject({ code: 'P0001', faultClass: 'unknown' });
  expect(await work.store.query('SELECT * FROM webhook_events')).toEqual([]);

  await expect(work.process(events, { attempt: 2 })).rejects.toMatchObject({ code: 'P0001' });
  expect(await work.store.query('SELECT id FROM conversations ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  expect(await work.store.query(`SELECT count(*)::int AS n FROM webhook_events`)).toEqual([{ n: 2 }]);

  await work.process(events, { attempt: 8, lastAttempt: true });
  expect(await work.store.query(`SELECT error FROM webhook_events WHERE outcome = 'dead'`)).toMatchObject([
    { error: { code: 'P0001', attempts: 8 } },
  ]);
});

test('waits while the database is away, says so once, and goes on by itself', async () => {
  let away = 3;
  const work = await openWork({
    wrap: (store) => ({
      ...store,
      apply: async (events) => (away > 0 ? refuse() : store.apply(events)),
      probe: async () => (--away > 0 ? refuse() : store.probe()),
    }),
  });
  await work.process([message('c')]);
  expect(await work.store.query('SELECT id FROM conversations')).toEqual([{ id: 'c' }]);
  expect(work.messages()).toEqual([
    'Waiting for the database; events stay in Redis and no attempt is spent',
    'The database answers; going on',
    '✅ Message stored: c',
  ]);
  expect(work.context.gate.isClosed()).toBe(false);
});

test('a fault that no table knows is an outage where the database answers nothing else either', async () => {
  let away = 2;
  const work = await openWork({
    wrap: (store) => ({
      ...store,
      apply: async (events) => {
        if (away > 0) throw new StoreError('something new', { faultClass: 'unknown', code: 'P9999' });
        return store.apply(events);
      },
      probe: async () => (away-- > 0 ? refuse() : store.probe()),
    }),
  });
  await work.process([message('c')], { attempt: 8, lastAttempt: true });
  expect(await work.store.query('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'applied' }]);
});

test('a dead letter that Redis does not take spends no attempt', async () => {
  const work = await openWork();
  await work.context.deadLetters.close();
  await expect(work.process([delivery(NOT_JSON)])).rejects.toMatchObject({ code: 'hand_back' });
  expect(await work.store.query('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'dead' }]);
});

test('hands its job back when it is told to leave while the database is away', async () => {
  const work = await openWork({ wrap: (store) => ({ ...store, apply: refuse, probe: refuse }) });
  const leaving = new AbortController();
  const processing = work.process([message('c')], {}, leaving.signal);
  await vi.waitUntil(() => work.context.gate.isClosed(), { timeout: 20_000 });
  leaving.abort();
  await expect(processing).rejects.toMatchObject({ code: 'hand_back' });
});

test('tries a conflict again at once', async () => {
  let conflicts = 2;
  const work = await openWork({
    wrap: (store) => ({
      ...store,
      apply: async (events) => {
        if (conflicts-- > 0) throw new StoreError('deadlock detected', { faultClass: 'conflict', code: '40P01' });
        return store.apply(events);
      },
    }),
  });
  await work.process([message('c')]);
  expect(await work.store.query('SELECT id FROM conversations')).toEqual([{ id: 'c' }]);
});

test('two workers that hold the same job apply it once', async () => {
  const work = await openWork();
  const events = Array.from({ length: 100 }, (_, i) => message(`conv_${i % 7}`, `text ${i}`));
  await Promise.all([
    work.process(events),
    sleep(1).then(() => work.process(events)),
    work.process(events.toReversed()),
  ]);
  expect(await work.store.query('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 100 }]);
  expect(await work.store.query('SELECT count(*)::int AS n FROM webhook_events')).toEqual([{ n: 100 }]);
});

async function refuse(): Promise<never> {
  throw new StoreError('connect ECONNREFUSED', { faultClass: 'connection', code: 'ECONNREFUSED' });
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n').trimEnd();
}
