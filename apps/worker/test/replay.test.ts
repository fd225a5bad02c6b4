import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { createDeadLetters, openQueues, wakeOperations } from '@landline/queue';
import { filterWords, eventFilterSchema } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { openQueryStore } from '../../../packages/store/test/support/query-store.ts';
import { countEffects, REPEATED } from '../../../test/support/count-effects.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { messageBody, RECEIVED_AT, recordDeadBodies } from '../../../test/support/dead-ledger.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { letterOf } from '../src/dead-letters/letter-of.ts';
import { createWorker } from '../src/worker.ts';

const WITHIN = { timeout: 25_000, interval: 20 };

/** A ledger, a queue and what a replay needs, all closed when the test ends. */
async function aLine() {
  const database = await createDatabase(inject('databaseUrl'));
  const place = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}` };
  const store = openQueryStore({ databaseUrl: database.url });
  const queues = openQueues(place);
  const letters = createDeadLetters(place);
  await queues.ping();
  onTestFinished(async () => {
    await Promise.all([store.close(), queues.close(), letters.close()]);
    await database.drop();
  });
  const sql = (statement: string) => runSql(database.directUrl, statement);
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    ...place,
    store,
    queues,
    letters,
    sql,
    log: () => lines.join(''),
    work() {
      const worker = createWorker({ databaseUrl: database.url, ...place, concurrency: 4, logger });
      onTestFinished(() => worker.stop({ timeoutMs: 4_000 }));
      worker.start();
      return worker;
    },
    outcomes: async () => {
      const rows = await sql('SELECT outcome, count(*)::int AS n FROM webhook_events GROUP BY outcome');
      return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
    },
    async ask(words: Record<string, string> = {}, { rate, total }: { rate?: number; total?: number } = {}) {
      const filter = filterWords(eventFilterSchema(Date.now()).parse(words));
      const operation = await store.operations.request({ kind: 'replay', filter, rate, total });
      await wakeOperations(place);
      const get = async () => {
        const found = await store.operations.get(operation.id);
        if (found === undefined) throw new Error('The operation is gone.');
        return found;
      };
      const ended = () =>
        vi.waitUntil(async () => {
          const now = await get();
          return now.finishedAt !== null && now;
        }, WITHIN);
      return { id: operation.id, get, ended };
    },
  };
}

type Line = Awaited<ReturnType<typeof aLine>>;

const messages = (count: number) => Array.from({ length: count }, (_, i) => messageBody(`conv_${i % 7}`, `word ${i}`));

/** Lays the letters of dead events to rest, as they are when nobody has retried them. */
async function layLetters({ store, letters, queues }: Line, ids: readonly string[]): Promise<void> {
  const records = await store.readDead(ids);
  await letters.add(records.flatMap(letterOf));
  await vi.waitUntil(async () => (await queues.deadLetters.getFailedCount()) === ids.length, WITHIN);
}

async function applied(line: Line, bodies: readonly Buffer[], outcome?: 'ignored') {
  const events = bodies.map((body, i) => {
    const facts = { receivedAt: RECEIVED_AT - 1000 + i, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(body, facts));
    if (event.outcome === 'dead') throw new Error('It is dead.');
    return outcome === undefined ? event : { outcome, entry: event.entry };
  });
  await line.store.apply(events);
  return events.map(({ entry }) => entry.id);
}

test('dead events and ignored ones are applied, applied ones stay, and their letters leave the queue', async () => {
  const line = await aLine();
  const dead = await recordDeadBodies(line.store, messages(450));
  await applied(line, [messageBody('other', 'was ignored')], 'ignored');
  await applied(line, [messageBody('other', 'was applied'), Buffer.from('{"type":"a.new.type"}')]);
  await line.sql(`UPDATE webhook_events SET outcome = 'ignored' WHERE type = 'a.new.type'`);
  line.work();
  await layLetters(line, dead);
  await countEffects(line.sql);

  const replay = await line.ask({}, { total: 453 });
  expect(await replay.ended()).toMatchObject({ status: 'done', total: 453, done: 453, failed: 0, message: null });
  expect(await line.outcomes()).toEqual({ applied: 452, ignored: 1 });
  expect(await line.sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 452 }]);
  expect(await line.sql(`SELECT DISTINCT origin FROM webhook_events`)).toEqual([{ origin: 'webhook' }]);
  expect(await line.sql(REPEATED)).toEqual([]);
  expect(await line.queues.deadLetters.getJobCounts('failed', 'wait', 'active', 'delayed')).toEqual({
    failed: 0,
    wait: 0,
    active: 0,
    delayed: 0,
  });
  expect(line.log()).not.toContain('Operations: ');
});

test('events that die again are counted as failed, and their letters say why', async () => {
  const line = await aLine();
  const good = messages(10);
  const bad = [Buffer.from('no json'), Buffer.from('{"type":"conversation.message","data":{}}'), Buffer.from('[')];
  const ids = await recordDeadBodies(line.store, [...good, ...bad]);
  line.work();
  await layLetters(line, ids);

  const replay = await line.ask({ outcome: 'dead' });
  expect(await replay.ended()).toMatchObject({
    status: 'done',
    total: 13,
    done: 10,
    failed: 3,
    message: '2 died again (body_not_json), 1 died again (conversation_id_missing)',
  });
  expect(await line.outcomes()).toEqual({ applied: 10, dead: 3 });
  await vi.waitUntil(async () => (await line.queues.deadLetters.getFailedCount()) === 3, WITHIN);
  const reasons = (await line.queues.deadLetters.getFailed()).map(({ failedReason }) => failedReason);
  expect(reasons.toSorted()).toEqual([
    'body_not_json: The body is not JSON.',
    'body_not_json: The body is not JSON.',
    'conversation_id_missing: The conversation.message event has no conversation_id of 1 to 256 characters, at its top level or in data.',
  ]);
});

test('only what the filter selects is replayed', async () => {
  const line = await aLine();
  await recordDeadBodies(line.store, [
    ...messages(20),
    messageBody('mine', 'a NEEDLE in it'),
    messageBody('mine', 'none'),
  ]);
  line.work();
  const byText = await line.ask({ text: 'needle' });
  expect(await byText.ended()).toMatchObject({ status: 'done', total: 1, done: 1 });
  expect(await line.outcomes()).toEqual({ applied: 1, dead: 21 });
  const byConversation = await line.ask({ conversation: 'mine', outcome: 'dead' });
  expect(await byConversation.ended()).toMatchObject({ total: 1, done: 1 });
  const until = new Date(RECEIVED_AT + 5).toISOString();
  expect(await (await line.ask({ until, error: 'an_old_bug' })).ended()).toMatchObject({ total: 5, done: 5 });
  expect(await line.outcomes()).toEqual({ applied: 7, dead: 15 });
});

test('events of every size are replayed, and those with a reference keep it', async () => {
  const line = await aLine();
  const large = [1_200_000, 3_000_000, 900_000, 300_000].map((size) => messageBody('large', 'x'.repeat(size)));
  await recordDeadBodies(line.store, [...messages(3), ...large]);
  const reference = {
    eventId: '01234567-89ab-cdef-0123-456789abcdef',
    bytes: 20_000_000,
    recording: {
      at: 3,
      bytes: 9,
      sha256: 'ab'.repeat(32),
      contentType: 'audio/mpeg',
      url: 'file:/a',
      storedAt: RECEIVED_AT,
    },
  };
  const body = Buffer.from('{"type":"post_call_audio","data":{"conversation_id":"large","full_audio":""}}');
  const facts = { receivedAt: RECEIVED_AT, signedAt: RECEIVED_AT / 1000, secretId: 'test', reference };
  const { entry } = normalise(deliveryOf(body, facts));
  await line.store.recordDead([{ entry, fault: { code: 'x', message: 'x' }, attempts: 1 }]);
  line.work();
  expect(await (await line.ask()).ended()).toMatchObject({ status: 'done', total: 8, done: 8, failed: 0 });
  expect(await line.outcomes()).toEqual({ applied: 8 });
  expect(await line.sql('SELECT event_id::text, url FROM conversation_recordings')).toEqual([
    { event_id: reference.eventId, url: 'file:/a' },
  ]);
});

test('events whose body is gone are counted as failed, with the reason', async () => {
  const line = await aLine();
  const ids = await recordDeadBodies(line.store, messages(5));
  await line.sql(`DELETE FROM webhook_bodies WHERE event_id IN ('${ids.slice(0, 2).join("','")}')`);
  line.work();
  expect(await (await line.ask()).ended()).toMatchObject({
    status: 'done',
    done: 3,
    failed: 2,
    message: '2 whose body is gone',
  });
  expect(await line.outcomes()).toEqual({ applied: 3, dead: 2 });
});

test('a rate is kept, and Redis never has more than a few jobs of a replay', async () => {
  const line = await aLine();
  await recordDeadBodies(line.store, messages(600));
  const worker = line.work();
  const startedAt = performance.now();
  const replay = await line.ask({}, { rate: 400 });
  await replay.ended();
  expect(performance.now() - startedAt).toBeGreaterThan(1_450);

  await worker.stop({ timeoutMs: 4_000 });
  await line.sql(`UPDATE webhook_events SET outcome = 'dead'`);
  await line.queues.events.pause();
  line.work();
  await line.ask();
  await vi.waitUntil(async () => (await line.queues.events.getJobCountByTypes('wait')) >= 3, WITHIN);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await line.queues.events.getJobCountByTypes('wait', 'active')).toBeLessThanOrEqual(8);
});

describe('a replay is cancelled within a second', () => {
  test('while it goes at a rate: what is through is counted, and the letters of that are gone', async () => {
    const line = await aLine();
    const ids = await recordDeadBodies(line.store, messages(400));
    line.work();
    await layLetters(line, ids);
    const replay = await line.ask({}, { rate: 50 });
    await vi.waitUntil(async () => (await replay.get()).done > 10, WITHIN);
    const { done: before } = await replay.get();
    await line.store.operations.cancel(replay.id);
    const ended = await replay.ended();
    expect(ended.status).toBe('cancelled');
    // Three seconds at its rate: a busy machine is slow. While one stands still, nothing goes through.
    expect(ended.done - before).toBeLessThan(150);
    const { applied: through } = await line.outcomes();
    expect(through).toBe(ended.done);
    expect(await line.queues.deadLetters.getFailedCount()).toBe(400 - ended.done);
    expect(await line.queues.events.getJobCountByTypes('wait', 'active', 'delayed')).toBe(0);
  });

  test('while its jobs wait: they are taken back', async () => {
    const line = await aLine();
    await recordDeadBodies(line.store, messages(3_000));
    await line.queues.events.pause();
    line.work();
    const replay = await line.ask();
    await vi.waitUntil(async () => (await line.queues.events.getJobCountByTypes('wait')) === 8, WITHIN);
    const cancelledAt = performance.now();
    await line.store.operations.cancel(replay.id);
    expect(await replay.ended()).toMatchObject({ status: 'cancelled', done: 0, failed: 0 });
    // Far less than the ten seconds of its lease: a busy machine is slow.
    expect(performance.now() - cancelledAt).toBeLessThan(7_000);
    expect(await line.queues.events.getJobCountByTypes('wait')).toBe(0);
    await line.queues.events.resume();
    expect(await line.outcomes()).toEqual({ dead: 3_000 });
  });
});

test('a worker that is stopped leaves at once, and another one goes on without counting twice', async () => {
  const line = await aLine();
  const ids = await recordDeadBodies(line.store, messages(600));
  const first = line.work();
  await layLetters(line, ids);
  await countEffects(line.sql);
  const replay = await line.ask({ outcome: 'dead' }, { rate: 100 });
  await vi.waitUntil(async () => (await replay.get()).done > 50, WITHIN);
  const second = line.work();
  await first.stop({ timeoutMs: 20_000 });
  // At its rate there are five seconds of it left.
  expect(await replay.get()).toMatchObject({ finishedAt: null });
  expect(await replay.ended()).toMatchObject({ status: 'done', total: 600, done: 600, failed: 0 });
  expect(await line.outcomes()).toEqual({ applied: 600 });
  expect(await line.sql(REPEATED)).toEqual([]);
  expect(await line.queues.deadLetters.getFailedCount()).toBe(0);
  const { value: metrics } = { value: await second.metrics.registry.metrics() };
  expect(metrics).toContain('landline_operations_total{kind="replay",event="done"} 1');
});

test('jobs that Redis loses are sent again', async () => {
  const line = await aLine();
  await recordDeadBodies(line.store, messages(1_000));
  await line.queues.events.pause();
  line.work();
  const replay = await line.ask();
  await vi.waitUntil(async () => (await line.queues.events.getJobCountByTypes('wait')) >= 5, WITHIN);
  await line.queues.events.obliterate({ force: true });
  await line.queues.events.resume();
  expect(await replay.ended()).toMatchObject({ status: 'done', done: 1_000, failed: 0 });
  expect(await line.outcomes()).toEqual({ applied: 1_000 });
});

test('a filter that this version cannot read makes the operation fail, with the reason', async () => {
  const line = await aLine();
  line.work();
  const operation = await line.store.operations.request({ kind: 'replay', filter: { colour: 'red' } });
  await wakeOperations(line);
  await vi.waitUntil(async () => (await line.store.operations.get(operation.id))?.status === 'failed', WITHIN);
  expect(await line.store.operations.get(operation.id)).toMatchObject({
    message: expect.stringContaining('The filter cannot be read'),
  });
  // What the log names can be typed.
  const failed = `An operation failed (replay), see npm run landline -- operations show ${operation.id}: The filter cannot be read`;
  expect(line.log()).toContain(failed);
});
