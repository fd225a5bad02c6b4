import { StoreError, type ApplicableEvent } from '@landline/store';
import { normalise } from '@landline/webhook';
import { expect, onTestFinished, test, vi } from 'vitest';
import { shareTransactions } from '../src/commit/share-transactions.ts';
import { delivery, message, openWork } from './support/work.ts';

function group(...texts: string[]): ApplicableEvent[] {
  return texts.flatMap((text) => {
    const event = normalise(message(`conv_${text}`, text));
    return event.outcome === 'dead' ? [] : [event];
  });
}

test('groups that wait together share transactions, and each gets its own outcomes', async () => {
  const work = await openWork();
  const shared = shareTransactions((events) => work.store.apply(events));
  const groups = Array.from({ length: 60 }, (_, i) => group(`a${i}`, `b${i}`));
  const outcomes = await Promise.all(groups.map((events) => shared(events)));
  for (const [i, events] of groups.entries()) {
    expect(outcomes[i]).toEqual(new Map(events.map(({ entry }) => [entry.id, 'applied'])));
  }
  // xmin is the row's transaction: the first takes one group, and the rest go together.
  expect(
    await work.store.query(
      'SELECT count(*)::int AS n, count(DISTINCT xmin::text)::int AS transactions FROM webhook_events',
    ),
  ).toEqual([{ n: 120, transactions: 2 }]);
});

test('an event in several groups is applied once, and a duplicate to the others', async () => {
  const work = await openWork();
  const shared = shareTransactions((events) => work.store.apply(events));
  const results = await Promise.all(Array.from({ length: 8 }, () => shared(group('same'))));
  const outcomes = results.flatMap((result) => [...result.values()]);
  expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(7);
});

test('an event that stands twice in one group has been applied, and is a duplicate to the next group alone', async () => {
  const work = await openWork();
  const shared = shareTransactions((events) => work.store.apply(events));
  // The first begins at once, so that the others share a transaction.
  const groups = [group('a'), group('b'), [...group('same'), ...group('same')], group('same')];
  const outcomes = await Promise.all(groups.map((events) => shared(events)));
  expect(outcomes.map((result) => [...result.values()])).toEqual([
    ['applied'],
    ['applied'],
    ['applied'],
    ['duplicate'],
  ]);
});

test('a group at fault fails alone', async () => {
  const work = await openWork();
  await work.admin(`ALTER TABLE conversations ADD CONSTRAINT refused CHECK (id <> 'conv_poison')`);
  const shared = shareTransactions((events) => work.store.apply(events));
  const settled = await Promise.allSettled(
    [group('a'), group('b'), group('c'), group('poison', 'd'), group('e')].map((events) => shared(events)),
  );
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(settled[3]).toMatchObject({ reason: { code: '23514' } });
  expect(await work.store.query('SELECT id FROM conversations ORDER BY id')).toEqual(
    ['a', 'b', 'c', 'e'].map((text) => ({ id: `conv_${text}` })),
  );
});

test('a large backlog is cut into transactions of bounded size, and a group of any size is applied', async () => {
  const sizes: number[] = [];
  const shared = shareTransactions(async (events) => {
    sizes.push(events.length);
    await new Promise(setImmediate);
    return new Map();
  });
  const large = Array.from({ length: 1_500 }, (_, i) => `${i}`);
  const many = Array.from({ length: 40 }, (_, i) => group(...Array.from({ length: 100 }, (_unused, j) => `${i}.${j}`)));
  await Promise.all([group(...large), ...many].map((events) => shared(events)));
  expect(sizes[0]).toBe(1_500);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5_500);
  expect(Math.max(...sizes.slice(1))).toBe(1_000);
});

test('when the database is away every caller gets its error', async () => {
  const away = new StoreError('refused', { faultClass: 'connection', code: 'ECONNREFUSED' });
  const shared = shareTransactions(() => Promise.reject(away));
  const settled = await Promise.allSettled([group('a'), group('b'), group('c'), group('d')].map((g) => shared(g)));
  expect(settled.map((result) => result.status === 'rejected' && result.reason)).toEqual([away, away, away, away]);
});

test('bodies of 4 MiB share a transaction, a larger group has its own, and each has its turn in order', async () => {
  const MEBIBYTE = 1024 * 1024;
  const transactions: number[][] = [];
  const shared = shareTransactions(async (events) => {
    transactions.push(events.map(({ entry }) => Math.floor((entry.delivery.body.length / MEBIBYTE) * 10) / 10));
    await new Promise(setImmediate);
    return new Map();
  });
  const ofSize = (mebibytes: number): ApplicableEvent[] => {
    const body = JSON.stringify({ type: 'large', id: mebibytes, text: 'x'.repeat(mebibytes * MEBIBYTE) });
    const event = normalise(delivery(body));
    return event.outcome === 'dead' ? [] : [event];
  };
  // The first begins at once, so that the others wait together.
  const groups = [
    group('a'),
    group('b'),
    ofSize(1.5),
    ofSize(1.5),
    ofSize(1.5),
    ofSize(4.5),
    group('c'),
    ofSize(2.5),
    ofSize(1),
  ];
  await Promise.all(groups.map((events) => shared(events)));
  expect(transactions).toEqual([[0], [0, 1.5, 1.5], [1.5], [4.5], [0, 2.5, 1]]);
});

/** Transactions under a clock that the test moves: when each began, in milliseconds from now, and its events. */
function openClocked({ takesMs = 0 } = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const from = performance.now();
  const transactions: { at: number; events: number }[] = [];
  const shared = shareTransactions(async (events) => {
    transactions.push({ at: performance.now() - from, events: events.length });
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    return new Map();
  });
  return {
    transactions,
    shared,
    /** Hands an event over each `everyMs`, for `forMs`, and waits until all are committed. */
    send: async ({ everyMs, forMs }: { everyMs: number; forMs: number }): Promise<void> => {
      const committed: Promise<unknown>[] = [];
      for (let ms = 0; ms < forMs; ms += everyMs) {
        committed.push(shared(group(`${transactions.length}.${ms}`)));
        await vi.advanceTimersByTimeAsync(everyMs);
      }
      await vi.advanceTimersByTimeAsync(100 + 3 * takesMs);
      await Promise.all(committed);
    },
  };
}

test('while few events come, each begins its transaction at once', async () => {
  const { transactions, send } = openClocked();
  await send({ everyMs: 5, forMs: 200 });
  expect(transactions).toEqual(Array.from({ length: 40 }, (_, i) => ({ at: i * 5, events: 1 })));
});

test('few events that come while a transaction is under way share the next one', async () => {
  const { transactions, send } = openClocked({ takesMs: 8 });
  await send({ everyMs: 5, forMs: 40 });
  expect(transactions).toEqual([
    { at: 0, events: 1 },
    { at: 8, events: 1 },
    { at: 16, events: 2 },
    { at: 24, events: 1 },
    { at: 32, events: 2 },
    { at: 40, events: 1 },
  ]);
});

test('a transaction that takes long keeps few events waiting for 12 ms alone', async () => {
  const { transactions, send } = openClocked({ takesMs: 1_000 });
  await send({ everyMs: 5, forMs: 15 });
  expect(transactions).toEqual([
    { at: 0, events: 1 },
    { at: 12, events: 2 },
  ]);
});

test('while many events come, a transaction begins each 12 ms with all that came meanwhile', async () => {
  const { transactions, send } = openClocked();
  await send({ everyMs: 1, forMs: 1_000 });
  expect(transactions.reduce((sum, { events }) => sum + events, 0)).toBe(1_000);
  // The first ten events are few. The eleventh gathers.
  expect(transactions.slice(0, 10).map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(transactions[10]).toEqual({ at: 21, events: 11 });
  const gathered = transactions.filter(({ at }) => at > 21 && at < 1_000);
  expect(gathered).toEqual(Array.from({ length: 81 }, (_, i) => ({ at: 33 + i * 12, events: 12 })));
});

test('when few events come after many, each begins its transaction at once again', async () => {
  const { transactions, send } = openClocked();
  await send({ everyMs: 1, forMs: 100 });
  const before = transactions.length;
  await send({ everyMs: 5, forMs: 200 });
  expect(transactions.slice(before).map(({ events }) => events)).toEqual(Array.from({ length: 40 }, () => 1));
});

test('4 MiB of bodies do not wait for more', async () => {
  const { transactions, shared } = openClocked();
  const large = normalise(delivery(JSON.stringify({ type: 'large', text: 'x'.repeat(4 * 1024 * 1024) })));
  const many = Array.from({ length: 9 }, (_, i) => `${i}`);
  await Promise.all([shared(group(...many)), shared(group('a'))]);
  // No time passes: without the large body it would gather.
  await shared(large.outcome === 'dead' ? [] : [large]);
  expect(transactions).toEqual([9, 1, 1].map((events) => ({ at: 0, events })));
});
