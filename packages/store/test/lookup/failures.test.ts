import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { eventFilterSchema } from '../../src/find/event-filter.ts';
import { openTransactions } from '../../src/connection/transactions.ts';
import { failureLookupOn } from '../../src/lookup/failure-lookup.ts';
import type { FailureGroup } from '../../src/lookup/failure-groups.ts';
import { openLookups, type Lookups } from '../../src/lookup/lookups.ts';
import { bodyOf, read } from '../support/an-event.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const HOUR = 3_600_000;
/** The hour that runs has begun. */
const NOW = Date.now();

let lookups: Lookups;
beforeAll(() => {
  lookups = openLookups({ databaseUrl: context.url });
  return () => lookups.close();
});
beforeEach(async () => {
  await context.sql('DELETE FROM webhook_events; DELETE FROM webhook_bodies; DELETE FROM known_failures');
});

let made = 0;
/** A dead event that was received so many hours ago. */
function dead(message: string, { code = 'refused', type = 'conversation.message', hoursAgo = 0 } = {}) {
  made += 1;
  const { entry } = read(bodyOf({ type, eventId: `dead ${made}`, data: { conversation_id: 'c' } }));
  const delivery = { ...entry.delivery, receivedAt: NOW - hoursAgo * HOUR };
  return { entry: { ...entry, delivery }, fault: { code, message }, attempts: 1 };
}

const idOf = ({ entry }: ReturnType<typeof dead>) => entry.id;

async function groups(lookup = lookups.failures): Promise<FailureGroup[]> {
  let last: FailureGroup[] = [];
  for await (const { failures } of lookup.groups()) last = failures.groups();
  return last;
}

/** What tells groups apart that were gathered in other slices; of several events of one time any may be the example. */
const countsOf = (found: FailureGroup[]) =>
  found.map(({ pattern, count, first, last, types, hours }) => ({ pattern, count, first, last, types, hours }));

test.each([
  ['a quoted text', 'No column "first" here', 'No column "second one" here', 'No column … here'],
  ['a quoted text that is cut off', 'Unexpected token in "{a', 'Unexpected token in "{b: c', 'Unexpected token in …'],
  [
    'other quotation marks',
    `reading 'a' of “b” and «c» and \`d\``,
    `reading 'e f' of “g” and «h» and \`i\``,
    'reading … of … and … and …',
  ],
  ['a key', 'Key (id)=(7) already exists.', 'Key (id)=(seven, (8) already exists.', 'Key (id)… already exists.'],
  [
    'an id',
    'conv_abcdef is gone, and so is agent_7jx',
    'conv_01ka-2 is gone, and so is agent_01',
    '… is gone, and so is …',
  ],
  ['a uuid', 'row 0A0B0C0D-1111-4222-8333-444455556666.', 'row 9a0b0c0d-1111-4222-8333-44445555666f.', 'row ….'],
  ['hex', 'at 0x1f, hash deadbeef and 3fa', 'at 0xAB01, hash cafebabecafe and 4b', 'at …, hash … and …'],
  ['an id without a prefix', 'call CAk5y0z9k2m1 ended', 'call z81q77b20x9 ended', 'call … ended'],
  ['a number', 'took 12 ms of 1,000.5 at 10.0.0.1:80', 'took 7 ms of 3 at 10.9.0.255:8080', 'took … ms of … at …'],
  ['a time', 'since 2026-11-29T10:00:00.123Z', 'since 2025-01-01T10:00Z', 'since …'],
  ['Arabic numbers', 'turn ١٢', 'turn ٣', 'turn …'],
])('messages that differ only in %s are one group', async (_, one, other, pattern) => {
  await context.store.recordDead([dead(one), dead(other), dead(one, { code: 'another' })]);
  const found = await groups();
  expect(Object.fromEntries(found.map(({ code, count }) => [code, count]))).toEqual({ another: 1, refused: 2 });
  expect(found).toHaveLength(2);
  expect(new Set(found.map((group) => group.pattern))).toEqual(new Set([pattern]));
});

test.each([
  ['field agent_id is missing', 'field user_id is missing'],
  ["the body can't be read", "the body can't be kept; it's large"],
  ['not valid UTF-8, so', 'not valid JSON, so'],
])('messages that say something else are two groups: %s', async (one, other) => {
  await context.store.recordDead([dead(one), dead(other)]);
  expect(await groups()).toHaveLength(2);
});

test('a group says how many, since when, of which types and in which hours, and shows its last event', async () => {
  const events = [
    dead('row 1', { hoursAgo: 100 }),
    dead('row 2', { hoursAgo: 3, type: '__proto__' }),
    dead('row 3', { hoursAgo: 3 }),
    dead(`row 4 ${'x'.repeat(5_000)}`, { hoursAgo: 2 }),
    dead('row 5'),
  ];
  await context.store.recordDead(events.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)));
  const [rows, long] = await groups();
  const hour = Math.floor(NOW / HOUR) * HOUR;
  expect(rows).toMatchObject({
    code: 'refused',
    pattern: 'row …',
    count: 4,
    first: NOW - 100 * HOUR,
    last: NOW,
    example: { id: idOf(events[4]!), message: 'row 5' },
    known: null,
  });
  expect(Object.entries(rows?.types ?? {})).toEqual([
    ['conversation.message', 3],
    ['__proto__', 1],
  ]);
  expect(rows?.hours).toHaveLength(24);
  expect(rows?.hours.filter(({ count }) => count > 0)).toEqual([
    { at: hour - 3 * HOUR, count: 2 },
    { at: hour, count: 1 },
  ]);
  expect(long?.pattern).toBe(`row … ${'x'.repeat(294)}`);
  expect(long?.example.message).toHaveLength(1_000);
});

test('groups grow slice after slice, until the time is over', async () => {
  const events = Array.from({ length: 7 }, (_, i) => dead(i % 2 === 0 ? `even ${i}` : 'odd', { hoursAgo: i % 3 }));
  await context.store.recordDead(events.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)));
  const transactions = openTransactions({ databaseUrl: context.url, isReadOnly: true });
  const small = failureLookupOn(transactions, { first: 1, later: 2 });
  const looked: number[] = [];
  const back: number[] = [];
  for await (const { looked: count, position } of small.groups()) {
    looked.push(count);
    back.push((NOW - position.receivedAt) / HOUR);
  }
  expect(looked).toEqual([1, 2, 2, 2]);
  // The newest first.
  expect(back).toEqual([0, 0, 1, 2]);
  expect(countsOf(await groups(small))).toEqual(countsOf(await groups()));
  expect(await small.groups({ signal: AbortSignal.abort() }).next()).toEqual({ done: true, value: false });
  await transactions.close();
  await context.sql('DELETE FROM webhook_events');
  expect(await lookups.failures.groups().next()).toEqual({ done: true, value: true });
});

test('groups beyond the most that are held are counted together, and the newest are held', async () => {
  const events = ['a', 'b', 'b', 'c', 'c', 'd'].map((message, i) => dead(message, { hoursAgo: i }));
  await context.store.recordDead(events.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)));
  const transactions = openTransactions({ databaseUrl: context.url, isReadOnly: true });
  onTestFinished(() => transactions.close());
  const few = failureLookupOn(transactions, { first: 2, later: 2, mostGroups: 2 });
  const held: unknown[] = [];
  for await (const { failures } of few.groups())
    held.push([failures.groups().map(({ pattern, count }) => [pattern, count]), failures.others]);
  expect(held.at(-1)).toEqual([
    [
      ['a', 1],
      ['b', 2],
    ],
    3,
  ]);
});

test('the fingerprint is recorded with the event, and computed for one that an older version has recorded', async () => {
  await context.store.recordDead([dead('row 1'), dead('row 2')]);
  await context.sql(`UPDATE webhook_events SET error = error - 'fingerprint' WHERE error ->> 'message' = 'row 1'`);
  const [group] = await groups();
  expect(group).toMatchObject({ count: 2, pattern: 'row …', fingerprint: '80d9c2e77fc4' });
  expect((await lookups.ledger.count({ fingerprint: '80d9c2e77fc4' })).total).toBe(2);
  // What is recorded counts: nobody computes it again.
  await context.sql(`UPDATE webhook_events SET error = error || '{"fingerprint": "0123456789ab"}'`);
  expect((await lookups.ledger.count({ fingerprint: '0123456789ab' })).total).toBe(2);
  expect(await groups()).toMatchObject([{ count: 2, pattern: 'row …', fingerprint: '0123456789ab' }]);
});

test('a fingerprint selects its group, and no other event', async () => {
  const events = [dead('row 1'), dead('row 2'), dead('no row')];
  await context.store.recordDead(events);
  const group = (await groups()).find(({ pattern }) => pattern === 'row …');
  const filter = eventFilterSchema(NOW).parse({ fingerprint: group?.fingerprint });
  const listed = await lookups.ledger.list(filter, { limit: 10 });
  expect(listed.map(({ id }) => id).toSorted()).toEqual(events.slice(0, 2).map(idOf).toSorted());
  expect((await lookups.ledger.count(filter)).total).toBe(2);
  // printf 'refused\nrow …' | sha256sum
  expect(group?.fingerprint).toBe('80d9c2e77fc4');
});

test('a mark holds until an event of the group dies after it', async () => {
  const { store } = context;
  const knownOf = async () => Object.fromEntries((await groups()).map(({ pattern, known }) => [pattern, known?.by]));
  await store.recordDead([dead('row 1'), dead('other')]);
  const fingerprint = (await groups()).find(({ pattern }) => pattern === 'row …')?.fingerprint ?? '';
  await store.failures.markKnown(fingerprint, 'admin');
  expect(await knownOf()).toEqual({ other: undefined, 'row …': 'admin' });
  // Received long ago, and dead just now.
  const late = dead('row 2', { hoursAgo: 5 });
  await context.sql(`UPDATE known_failures SET known_at = known_at - interval '1 minute'`);
  await store.recordDead([late]);
  expect(await knownOf()).toEqual({ other: undefined, 'row …': undefined });
  await store.failures.markKnown(fingerprint, 'somebody else');
  expect(await knownOf()).toEqual({ other: undefined, 'row …': 'somebody else' });
  await store.failures.unmark(fingerprint);
  await store.failures.unmark(fingerprint);
  expect(await knownOf()).toEqual({ other: undefined, 'row …': undefined });
});

test('an event that an older version has recorded counts by its receipt', async () => {
  await context.store.recordDead([dead('row 1', { hoursAgo: 1 })]);
  await context.sql(`UPDATE webhook_events SET error = error - 'at'`);
  const [group] = await groups();
  await context.store.failures.markKnown(group?.fingerprint ?? '', 'admin');
  expect((await groups())[0]?.known?.by).toBe('admin');
});

test('of two requests the later one counts, whichever comes first, and one of a time to come is taken for now', async () => {
  const { store } = context;
  const { failures } = store;
  await store.recordDead([dead('row 1')]);
  const [group] = await groups();
  const { fingerprint = '', last = 0 } = group ?? {};
  const at = Date.now();
  const known = async () => (await groups())[0]?.known ?? null;
  await failures.markKnown(fingerprint, 'first', at);
  await failures.unmark(fingerprint, at - 1);
  await failures.markKnown(fingerprint, 'before', at - 1);
  expect(await known()).toEqual({ at, by: 'first' });
  await failures.unmark(fingerprint, at + 1);
  await failures.markKnown(fingerprint, 'first', at);
  expect(await known()).toBeNull();
  // Carried out late: what has died since then is not known.
  await context.sql('DELETE FROM known_failures');
  await failures.markKnown(fingerprint, 'late', last - 1);
  await store.recordDead([dead('row 2')]);
  expect(await known()).toBeNull();
  await failures.markKnown(fingerprint, 'clock ahead', at + 3_600_000);
  expect((await known())?.at).toBeLessThan(at + 3_000_000);
  await store.recordDead([dead('row 3')]);
  expect(await known()).toBeNull();
});
