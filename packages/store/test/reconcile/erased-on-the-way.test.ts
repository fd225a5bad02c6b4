import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeConversation, webhookOf } from '../../../../test/support/provider/conversation.ts';
import { openTransactions, type Run, type RunAtCommit, type Transactions } from '../../src/connection/transactions.ts';
import { hashSubject } from '../../src/forget/subject-hash.ts';
import { comparing } from '../../src/reconcile/compare-person.ts';
import { markErasedOnTheWay } from '../../src/reconcile/erased-on-the-way.ts';
import { applicable } from '../support/an-event.ts';
import { EMPTY_TABLES } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let transactions: Transactions;
beforeAll(() => {
  transactions = openTransactions({ databaseUrl: context.url, poolSize: 1 });
});
afterAll(() => transactions.close());
beforeEach(() => context.sql(`${EMPTY_TABLES}; DELETE FROM erasures`));

const MINUTE = 60_000;
const NOW = Date.now();
const minutesAgo = (minutes: number) => NOW - minutes * MINUTE;

interface Told {
  id: string;
  user: string;
  /** In minutes before now. */
  began?: number;
  received?: number;
  origin?: 'backfill' | 'webhook';
}

function account({ id, user, began = 180, received = 60, origin = 'backfill' }: Told) {
  const startedAt = Math.floor(minutesAgo(began) / 1000);
  const body = webhookOf(makeConversation({ id, userId: user, number: null, startedAt }));
  const facts = { receivedAt: minutesAgo(received), signedAt: 1, secretId: 'test', origin };
  return applicable(normalise(deliveryOf(body, facts)));
}

/** An erasure of a person that was asked for, and done, so many minutes ago; null: it was cancelled. */
const erasure = (hash: string, requested: number, done: number | null) =>
  context.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at, done_at) VALUES (gen_random_uuid(), 'user', '${hash}',
    to_timestamp(${minutesAgo(requested) / 1000}), ${done === null ? 'NULL' : `to_timestamp(${minutesAgo(done) / 1000})`})`);

const calls = () => context.sql(`SELECT id, completeness, user_id FROM conversations ORDER BY id`);
const erased = (id: string) => ({ id, completeness: 'erased', user_id: null });

/** Marks calls as a store does. The hash of a person is their user id here, so that it can be said what was compared, and how many statements were asked. */
function marking() {
  const compared: string[] = [];
  let asked = 0;
  const counted = {
    run: <T>(work: (run: Run, runAtCommit: RunAtCommit) => Promise<T>) =>
      transactions.run((run, runAtCommit) =>
        work((statement) => {
          asked += 1;
          return run(statement);
        }, runAtCommit),
      ),
  };
  const isOf = comparing(async (hash, { value }) => {
    compared.push(`${hash} ${value}`);
    return hash === value;
  });
  const mark = markErasedOnTheWay(counted, isOf);
  return async (events: Parameters<typeof mark>[0]) => {
    await mark(events);
    const told = { compared: compared.splice(0).toSorted(), asked };
    asked = 0;
    return told;
  };
}

test('of a group, the accounts are ignored whose person was erased on the way, and what came by itself stays', async () => {
  await erasure(await hashSubject({ by: 'user', value: 'u1' }), 50, 40);
  const [fetched, live, other] = [
    account({ id: 'fetched', user: 'u1' }),
    account({ id: 'live', user: 'u1', origin: 'webhook' }),
    account({ id: 'other', user: 'u2' }),
  ];
  const outcomes = await context.store.apply([live, fetched, other, fetched]);
  expect([fetched, live, other].map(({ entry }) => outcomes.get(entry.id))).toEqual(['ignored', 'applied', 'applied']);
  expect(await calls()).toEqual([
    erased('fetched'),
    { id: 'live', completeness: null, user_id: 'u1' },
    { id: 'other', completeness: null, user_id: 'u2' },
  ]);
  expect(await context.sql('SELECT user_id FROM user_profiles ORDER BY user_id')).toEqual([
    { user_id: 'u1' },
    { user_id: 'u2' },
  ]);
}, 60_000);

test.each([
  ['done while the account was on its way', 50, 40, true],
  ['that was cancelled', 50, null, true],
  ['that was cancelled before the account was fetched', 170, null, true],
  ['done within the difference of two clocks before the account was fetched', 100, 64, true],
  ['done before that', 100, 66, false],
  ['asked for before the call', 181, 40, false],
])('an erasure %s', async (_, requested, done, isErased) => {
  await erasure('u1', requested, done);
  const { compared } = await marking()([account({ id: 'c', user: 'u1' })]);
  expect(compared).toEqual(isErased ? ['u1 u1'] : []);
  expect(await calls()).toEqual(isErased ? [erased('c')] : []);
});

test('each person is compared with each erasure once, whatever calls they have', async () => {
  // Done before all accounts were fetched but that of z.
  await erasure('w', 170, 100);
  await erasure('x', 50, 40);
  await erasure('u1', 30, 20);
  await erasure('y', 10, null);
  const mark = marking();
  const group = [
    account({ id: 'a', user: 'u1' }),
    account({ id: 'b', user: 'u1' }),
    // Began when two of the three had been asked for.
    account({ id: 'late', user: 'u1', began: 15, received: 12 }),
    account({ id: 'z', user: 'u2', received: 120 }),
  ];
  const { compared } = await mark(group);
  const all = ['u1 u1', 'u1 u2', 'w u2', 'x u1', 'x u2', 'y u1', 'y u2'];
  expect(compared).toEqual(all);
  expect(await calls()).toEqual([erased('a'), erased('b')]);
  // Those with a mark are compared no more, and of the others each answer is kept.
  expect(await mark(group)).toEqual({ compared: [], asked: 2 });
  expect((await marking()(group.slice(0, 2))).compared).toEqual([]);
});

test('what is there already is compared with no erasure since, and what was not fetched asks nothing', async () => {
  const long = { began: 3_000, received: 2_900 };
  const [applied, died, dies] = [
    account({ id: 'applied', user: 'u1', ...long }),
    account({ id: 'died', user: 'u2', ...long }),
    account({ id: 'dies', user: 'u3' }),
  ];
  await context.store.apply([applied]);
  const fault = { code: 'an_old_bug', message: 'It could not be read.' };
  await context.store.recordDead([died, dies].map(({ entry }) => ({ entry, fault, attempts: 1 })));
  await context.sql(`INSERT INTO erasures (id, kind, subject_hash, requested_at, done_at)
    SELECT gen_random_uuid(), 'user', 'other' || n, now() - interval '10 hours', now() FROM generate_series(1, 300) AS n`);
  const mark = marking();
  const nothing = { compared: [], asked: 0 };
  expect(await mark([account({ id: 'live', user: 'u1', origin: 'webhook' })])).toEqual(nothing);
  expect(await mark([applied, applied])).toEqual({ ...nothing, asked: 1 });
  expect(await mark([applied, died])).toEqual({ ...nothing, asked: 2 });
  // One that died may have been on its way while its person was erased: nobody compared it then.
  await erasure('u3', 50, 40);
  expect((await mark([dies])).compared).toEqual(['u3 u3']);
  expect(await calls()).toEqual([{ id: 'applied', completeness: null, user_id: 'u1' }, erased('dies')]);
  expect(await mark([dies])).toEqual({ ...nothing, asked: 1 });
});
