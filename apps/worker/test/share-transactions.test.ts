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
  // xmin is the row's transaction: the first two take one group each, and the rest go together.
  expect(
    await work.store.query(
      'SELECT count(*)::int AS n, count(DISTINCT xmin::text)::int AS transactions FROM webhook_events',
    ),
  ).toEqual([{ n: 120, transactions: 3 }]);
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
  // The first two begin at once, so that the others share a transaction.
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

test('bodies of 2 MiB share a transaction, a larger group has its own, and each has its turn in order', async () => {
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
  // The first two begin at once, so that the others wait together.
  const groups = [
    group('a'),
    group('b'),
    ofSize(0.7),
    ofSize(0.7),
    ofSize(0.7),
    ofSize(2.5),
    group('c'),
    ofSize(1.2),
    ofSize(0.5),
  ];
  await Promise.all(groups.map((events) => shared(events)));
  expect(transactions).toEqual([[0], [0], [0.7, 0.7], [0.7], [2.5], [0, 1.2, 0.5]]);
});

test('2 MiB of bodies do not wait for more', async () => {
  let begun = 0;
  const shared = shareTransactions(async () => {
    begun += 1;
    return new Map();
  });
  const large = normalise(delivery(JSON.stringify({ type: 'large', text: 'x'.repeat(2 * 1024 * 1024) })));
  const groups = [group('a'), group('b'), large.outcome === 'dead' ? [] : [large]];
  await Promise.all(groups.slice(0, 2).map((events) => shared(events)));
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await shared(groups[2] ?? []);
  expect(begun).toBe(3);
});
