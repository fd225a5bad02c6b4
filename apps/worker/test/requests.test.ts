import { randomUUID } from 'node:crypto';
import { createLogger } from '@landline/process';
import { createRequestConsumer, openActivity, openConsoleRequests, type ConsoleRequest } from '@landline/queue';
import { readmitWords } from '@landline/operations';
import { createStore } from '@landline/store';
import { sign } from '@landline/webhook';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { openQueryStore } from '../../../packages/store/test/support/query-store.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { SECRET } from '../../../test/support/post.ts';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { carryOut } from '../src/requests/carry-out.ts';
import { createWorker } from '../src/worker.ts';

const WITHIN = { timeout: 25_000, interval: 20 };
const AT = 1_767_225_600; // 2026-01-01T00:00:00Z

const noWake = () => Promise.resolve();

const aStart = (kind = 'readmit'): ConsoleRequest & { do: 'start' } => ({
  do: 'start',
  id: randomUUID(),
  kind,
  filter: readmitWords({ cause: 'another_secret' }),
  requestedBy: 'admin',
});

/** A database, a queue of requests, and workers, all closed when the test ends. */
async function aLine() {
  const database = await createDatabase(inject('databaseUrl'));
  const place = { redisUrl: inject('redisUrl'), prefix: `{${randomUUID()}}` };
  const store = openQueryStore({ databaseUrl: database.url });
  const requests = openConsoleRequests(place);
  onTestFinished(async () => {
    await Promise.all([store.close(), requests.close()]);
    await database.drop();
  });
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const OPERATIONS = `SELECT id::text, kind, status, requested_by FROM operations WHERE kind <> 'retention' ORDER BY created_at`;
  return {
    ...place,
    place,
    store,
    requests,
    logger,
    log: () => lines.join(''),
    operations: () => store.query(OPERATIONS),
    work(secrets: readonly string[] = [SECRET]) {
      const diagnosing = { secrets, toleranceSeconds: 3600 };
      const worker = createWorker({ databaseUrl: database.url, ...place, concurrency: 4, logger, diagnosing });
      onTestFinished(() => worker.stop({ timeoutMs: 4_000 }));
      worker.start();
    },
    async ended(id: string) {
      return vi.waitUntil(async () => {
        const now = await store.operations.get(id);
        return now !== undefined && now.finishedAt !== null && now;
      }, WITHIN);
    },
    /** Writes a refused request whose signature is good with SECRET. */
    async refused() {
      const body = Buffer.from(
        JSON.stringify({
          type: 'conversation.message',
          event_timestamp: AT,
          data: { conversation_id: 'conv_1', role: 'user', message: 'word' },
        }),
      );
      await store.keepRejected({
        id: randomUUID(),
        receivedAt: AT * 1000,
        code: 'signature_mismatch',
        cause: 'another_secret',
        advice: 'Compare it.',
        header: sign(body, SECRET, AT),
        headers: {},
        body,
        bodyBytes: body.length,
        sender: null,
        readmittedAt: null,
      });
    },
  };
}

test('a readmission that the console asks for twice runs once, with the secrets of the worker, and its events are counted', async () => {
  const line = await aLine();
  await line.refused();
  const start = aStart();
  await line.requests.send(start);
  await line.requests.send(start);
  line.work();
  expect(await line.ended(start.id)).toMatchObject({ kind: 'readmit', status: 'done', done: 1, failed: 0 });
  expect(await line.operations()).toEqual([{ id: start.id, kind: 'readmit', status: 'done', requested_by: 'admin' }]);
  expect(line.log()).not.toContain('another_secret');

  const activity = openActivity(line);
  onTestFinished(() => activity.close());
  const { receiptToRow } = await vi.waitFor(async () => {
    const now = await activity.now();
    expect(now.applied).toBe(1);
    return now;
  }, WITHIN);
  // Received in January, or some days more ago than an hour.
  expect(receiptToRow.at(-1)).toBe(1);
  // A busy machine's Redis may take longer than the second that it has.
  const [worker, ...others] = await vi.waitFor(() => activity.processes(), WITHIN);
  expect(others).toEqual([]);
  expect(worker).toMatchObject({ role: 'worker', gauges: { databaseOpen: 1, operationsRunning: expect.any(Number) } });
});

test('a readmission without secrets fails where the worker has none, and changes nothing', async () => {
  const line = await aLine();
  await line.refused();
  const start = aStart();
  await line.requests.send(start);
  line.work([]);
  expect(await line.ended(start.id)).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/knows no secret/),
  });
  expect(await line.store.query('SELECT readmitted_at FROM rejected_requests')).toEqual([{ readmitted_at: null }]);
});

test('failures are marked as known and unmarked, and an operation is ended', async () => {
  const line = await aLine();
  const { id } = await line.store.operations.request({ kind: 'of_a_newer_version', filter: {} });
  const [at, by] = [AT * 1000, 'admin'];
  await line.requests.send({ do: 'mark', fingerprint: '0123456789ab', by, at });
  // Nothing keeps requests in order: the later one counts.
  await line.requests.send({ do: 'unmark', fingerprint: 'ba9876543210', at: at + 1 });
  await line.requests.send({ do: 'mark', fingerprint: 'ba9876543210', by, at });
  await line.requests.send({ do: 'cancel', id });
  line.work();
  expect(await line.ended(id)).toMatchObject({ status: 'cancelled' });
  const MARKS = `SELECT fingerprint, known_by, (extract(epoch FROM known_at) * 1000)::float8 AS ms FROM known_failures ORDER BY 1`;
  await vi.waitUntil(async () => (await line.store.query(MARKS)).length === 2, WITHIN);
  await line.requests.send({ do: 'unmark', fingerprint: '0123456789ab', at: at - 1 });
  await vi.waitUntil(() => line.log().split('taken the mark off').length === 3, WITHIN);
  expect(await line.store.query(MARKS)).toEqual([
    { fingerprint: '0123456789ab', known_by: 'admin', ms: AT * 1000 },
    { fingerprint: 'ba9876543210', known_by: '', ms: AT * 1000 + 1 },
  ]);
});

test('a request goes back while Postgres is away, and ends where Postgres will never take it', async () => {
  const line = await aLine();
  const away = createStore({ databaseUrl: `postgresql://u:p@127.0.0.1:${await chooseQuietPort()}/db`, poolSize: 1 });
  onTestFinished(() => away.close());
  const context = { kinds: () => ['readmit'], wake: () => Promise.reject(new Error('no Redis')), logger: line.logger };
  const start = aStart();
  const isNew = { sentAt: Date.now() - 60_000, isFirst: true };
  await expect(carryOut(start, isNew, { ...context, store: away })).rejects.toMatchObject({ code: 'hand_back' });
  const again = { ...isNew, isFirst: false };
  await expect(carryOut(start, again, { ...context, store: away })).rejects.toMatchObject({ code: 'hand_back' });
  // Once for each request, whatever the clocks say.
  expect(line.log().split('waits for the database')).toHaveLength(2);
  await carryOut({ ...start, requestedBy: 'a\0b' }, isNew, { ...context, store: line.store });
  expect(line.log()).toContain('The database refuses a request of the console: it was removed');
  expect(await line.operations()).toEqual([]);
  // A worker of a newer version may know the kind; ten minutes later nobody does.
  const [sentAt, store] = [AT * 1000, line.store];
  const unknown = aStart('of_a_newer_version');
  const taken = { sentAt, isFirst: true };
  await expect(carryOut(unknown, taken, { ...context, store, now: () => sentAt + 599_000 })).rejects.toMatchObject({
    code: 'hand_back',
  });
  await carryOut(unknown, taken, { ...context, store, now: () => sentAt + 600_000 });
  expect(line.log()).toContain('No worker knows this kind of operations: the request was removed');
  expect(await line.operations()).toEqual([]);
});

test('an operation is ended also where the request to start it comes later', async () => {
  const line = await aLine();
  const start = aStart('of_a_newer_version');
  await line.requests.send({ do: 'cancel', id: start.id });
  const context = { store: line.store, kinds: () => [start.kind], wake: noWake, logger: line.logger };
  let handedBack = 0;
  const consumer = createRequestConsumer({
    ...line.place,
    concurrency: 1,
    onUnreadable: () => undefined,
    async process(request, taken) {
      await carryOut(request, taken, context).catch((error: unknown) => {
        handedBack++;
        throw error;
      });
    },
  });
  onTestFinished(() => consumer.close({ timeoutMs: 2_000 }));
  consumer.start();
  await vi.waitUntil(() => handedBack > 0, WITHIN);
  await line.requests.send(start);
  expect(await line.ended(start.id)).toMatchObject({ status: 'cancelled' });
  // An operation that has ended is no reason to wait, and one that never comes is waited for no longer than a minute.
  const sentAt = AT * 1000;
  const late = { ...context, now: () => sentAt + 60_000 };
  await carryOut({ do: 'cancel', id: start.id }, { sentAt, isFirst: true }, { ...context, now: () => sentAt });
  await carryOut({ do: 'cancel', id: randomUUID() }, { sentAt, isFirst: false }, late);
  expect(line.log()).toContain('There is no operation that the console asks the end of: the request was removed');
});

test('a request whose worker dies before it says that it is done is carried out once', async () => {
  const line = await aLine();
  const start = aStart();
  await line.requests.send(start);
  const firsts: boolean[] = [];
  const consumer = createRequestConsumer({
    ...line.place,
    concurrency: 1,
    onUnreadable: () => undefined,
    async process(request, taken) {
      const context = { store: line.store, kinds: () => ['readmit'], wake: noWake, logger: line.logger };
      await carryOut(request, taken, context);
      // What a death of the worker, or a fault of Redis, leaves: it is written, and the job is taken again.
      if (firsts.push(taken.isFirst) === 1) throw new Error('The worker died.');
    },
  });
  onTestFinished(() => consumer.close({ timeoutMs: 2_000 }));
  consumer.start();
  await vi.waitUntil(() => firsts.length === 2, WITHIN);
  expect(firsts).toEqual([true, false]);
  await expect.poll(() => consumer.counts(), WITHIN).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  expect(line.log().split('The console has asked for an operation')).toHaveLength(3);
  expect(await line.operations()).toEqual([
    { id: start.id, kind: 'readmit', status: 'planned', requested_by: 'admin' },
  ]);
});
