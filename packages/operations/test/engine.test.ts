import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createStore, StoreError, type Operation, type OperationStore, type Store } from '@landline/store';
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createEngine, type OperationEvent } from '../src/engine.ts';
import { OperationFailedError } from '../src/errors.ts';
import type { OperationContext } from '../src/operation-kind.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  store = createStore({ databaseUrl: database.url });
});
afterEach(async () => void (await runSql(database.directUrl, 'DELETE FROM operations')));
afterAll(async () => {
  await store.close();
  await database.drop();
});

const request = (kind = 'count') => store.operations.request({ kind, filter: {} });
const get = async ({ id }: Operation) => {
  const found = await store.operations.get(id);
  if (found === undefined) throw new Error('It is gone.');
  return found;
};

/** Counts on from its checkpoint to `to`, one each few milliseconds. */
const countTo = (to: number, ms = 10) => ({
  kind: 'count',
  async run({ operation, report, signal }: OperationContext) {
    for (let n = Number(operation.checkpoint ?? 0); n < to;) {
      await delay(ms, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      n += 1;
      report({ done: n, checkpoint: n });
    }
  },
});

/** A worker's engine over `operations`; `leave` makes it leave. */
function anEngine(kinds: Parameters<typeof createEngine>[0]['kinds'], operations: OperationStore = store.operations) {
  const events: OperationEvent[] = [];
  const leaving = new AbortController();
  const engine = createEngine({ store: operations, kinds, onEvent: (event) => events.push(event) });
  onTestFinished(() => leaving.abort());
  return { engine, events, run: () => engine.runDue(leaving.signal), leave: () => leaving.abort() };
}

test('operations run one after the other, to their end', async () => {
  const [first, second] = [await request(), await request()];
  const { run, events } = anEngine([countTo(3)]);
  await run();
  expect(await get(first)).toMatchObject({ status: 'done', done: 3, checkpoint: 3, message: null });
  expect(await get(second)).toMatchObject({ status: 'done', done: 3 });
  expect(events).toEqual(['started', 'done', 'started', 'done']);
});

test('kinds run beside each other, and one that runs here already is left alone', async () => {
  await Promise.all([request('count'), request('other')]);
  const running = { most: 0, now: 0 };
  const release = new AbortController();
  const watched = (kind: string) => ({
    kind,
    async run() {
      running.most = Math.max(running.most, ++running.now);
      await once(release.signal, 'abort');
      running.now -= 1;
    },
  });
  const { run, events, engine } = anEngine([watched('count'), watched('other')]);
  const runs = [run(), run()];
  await vi.waitUntil(() => running.now === 2, { timeout: 20_000 });
  expect(engine.running().toSorted()).toEqual(['count', 'other']);
  release.abort();
  await Promise.all(runs);
  expect(running.most).toBe(2);
  expect(events.toSorted()).toEqual(['done', 'done', 'started', 'started']);
  expect(engine.running()).toEqual([]);
});

test('progress is there each second, while it runs', async () => {
  const asked = await request();
  const { run, leave } = anEngine([countTo(1_000)]);
  const running = run();
  const seen: number[] = [];
  await vi.waitUntil(
    async () => {
      const { done } = await get(asked);
      if (done > (seen.at(-1) ?? 0)) seen.push(done);
      return seen.length >= 4;
    },
    { timeout: 20_000, interval: 50 },
  );
  leave();
  await running;
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
});

test('an operation that is cancelled ends within a second, with what is done', async () => {
  const asked = await request();
  const { run, events } = anEngine([countTo(10_000)]);
  const running = run();
  await vi.waitUntil(async () => (await get(asked)).done > 0, { timeout: 20_000 });
  const cancelled = await store.operations.cancel(asked.id);
  await running;
  const ended = await get(asked);
  // It does a hundred in a second. A machine that stalls does none meanwhile.
  expect(ended.done - (cancelled?.done ?? NaN)).toBeLessThan(300);
  expect(ended).toMatchObject({ status: 'cancelled' });
  expect(ended.done).toBe(ended.checkpoint);
  expect(events).toEqual(['started', 'cancelled']);
});

describe('why an operation fails is kept', () => {
  test.each([
    ['an error of its own', new OperationFailedError('The filter cannot be read.'), 'The filter cannot be read.'],
    ['any other error', new TypeError('x is undefined'), 'x is undefined'],
    ['with characters that Postgres does not take', new Error('a\0b\ud800'), 'a\ufffdb\ufffd'],
    ['in part where it is long', new Error('x'.repeat(5_000)), 'x'.repeat(1_000)],
  ])('%s', async (_, error, message) => {
    const asked = await request();
    const { run, events } = anEngine([{ kind: 'count', run: () => Promise.reject(error) }]);
    await run();
    expect(await get(asked)).toMatchObject({ status: 'failed', message });
    expect(events).toEqual(['started', 'failed']);
  });
});

test('a worker that leaves gives its operation back at once, and another one goes on at the checkpoint', async () => {
  const asked = await request();
  const first = anEngine([countTo(10_000)]);
  const running = first.run();
  await vi.waitUntil(async () => (await get(asked)).done > 3, { timeout: 20_000 });
  first.leave();
  await running;
  const left = await get(asked);
  expect(left).toMatchObject({ status: 'running', done: left.checkpoint });
  const begun: unknown[] = [];
  const second = anEngine([
    {
      kind: 'count',
      run(context) {
        begun.push(context.operation.checkpoint);
        return countTo(left.done + 10, 0).run(context);
      },
    },
  ]);
  await second.run();
  expect(begun).toEqual([left.done]);
  expect(await get(asked)).toMatchObject({ status: 'done', done: left.done + 10 });
  expect([first.events, second.events]).toEqual([
    ['started', 'released'],
    ['started', 'done'],
  ]);
});

test('a worker that was frozen learns that another one has the operation, and writes nothing more', async () => {
  const asked = await request();
  const held: OperationContext[] = [];
  const frozen = anEngine([
    {
      kind: 'count',
      async run(context) {
        held.push(context);
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
        context.report({ done: 99 });
        await expect(context.hold()).rejects.toMatchObject({ code: 'lost' });
        context.signal.throwIfAborted();
      },
    },
  ]);
  const running = frozen.run();
  await vi.waitUntil(() => held.length === 1, { timeout: 20_000 });
  // As if its lease had run out while it was frozen, and another worker had claimed the operation and died.
  await runSql(database.directUrl, `UPDATE operations SET fence = fence + 1, lease_until = now() - interval '1 s'`);
  await anEngine([countTo(2)]).run();
  await running;
  expect(await get(asked)).toMatchObject({ status: 'done', done: 2 });
  expect(frozen.events).toEqual(['started', 'lost']);
});

const away = () => new StoreError('No Postgres answers', { faultClass: 'connection', code: 'ECONNREFUSED' });

test('while Postgres is away the work waits, says so, and goes on', async () => {
  const asked = await request();
  let isAway = false;
  const unlessAway = <T>(work: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(away()) : work());
  const operations: OperationStore = {
    ...store.operations,
    keep: (...args) => unlessAway(() => store.operations.keep(...args)),
    finish: (...args) => unlessAway(() => store.operations.finish(...args)),
  };
  const messages: (string | null)[] = [];
  const { run, events } = anEngine(
    [
      {
        kind: 'count',
        async run({ retry, progress, report }) {
          isAway = true;
          setTimeout(() => (isAway = false), 600);
          const waiting = retry(() => unlessAway(() => Promise.resolve()));
          await delay(50);
          messages.push(progress().message);
          await waiting;
          messages.push(progress().message);
          isAway = true;
          setTimeout(() => (isAway = false), 600);
          report({ done: 1 });
        },
      },
    ],
    operations,
  );
  await run();
  expect(messages).toEqual(['Waits for Postgres: No Postgres answers', null]);
  expect(await get(asked)).toMatchObject({ status: 'done', done: 1 });
  expect(events).toEqual(['started', 'done']);
});

test('a fault that waiting does not mend is tried no more', async () => {
  const asked = await request();
  let tries = 0;
  const { run } = anEngine([
    {
      kind: 'count',
      run: ({ retry }) =>
        retry(() => {
          tries += 1;
          return Promise.reject(new StoreError('invalid input', { faultClass: 'data', code: '22P02' }));
        }),
    },
  ]);
  await run();
  expect(tries).toBe(1);
  expect(await get(asked)).toMatchObject({ status: 'failed', message: 'invalid input' });
});
