import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openTransactions, type Transactions } from '../../src/connection/transactions.ts';
import { clearWordsStatement } from '../../src/reconcile/clear-words.ts';
import type { ListedCall } from '../../src/reconcile/reconcile.ts';
import { AT } from '../support/an-event.ts';
import { EMPTY_TABLES } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let transactions: Transactions;
beforeAll(() => {
  transactions = openTransactions({ databaseUrl: context.url, poolSize: 1 });
});
afterAll(() => transactions.close());
beforeEach(() => context.sql(`${EMPTY_TABLES}; DELETE FROM erasures`));

/** What a list says of a call that began before the erasure. */
const listed = (id: string, more: Partial<ListedCall> = {}): ListedCall => ({
  id,
  agentId: 'agent',
  status: 'done',
  startedAt: AT,
  durationSeconds: 1,
  direction: null,
  title: `title of ${id}`,
  summary: null,
  callSuccessful: null,
  endReason: null,
  ...more,
});

async function anErasure(): Promise<string> {
  const id = randomUUID();
  await context.store.erasing.begin({ id, by: 'user', hash: 'h' });
  return id;
}

/** Who waits for a lock in this database. */
const WAITING = `SELECT l.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`;

const titles = async () =>
  (await context.sql('SELECT id, title FROM conversations ORDER BY id')).map(({ id, title }) => [id, title]);

test('words are cleared batch after batch, in the order of the ids, whatever kind a call is and becomes', async () => {
  const { reconcile } = context.store;
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await reconcile.noteListed(ids.map((id) => listed(id, id === 'b' ? { title: null } : {})));
  const kinds = ['waiting', 'unfetchable', 'missing', 'open', 'unfetchable', 'complete', 'missing'] as const;
  await reconcile.judge(new Map(ids.map((id, i) => [id, kinds[i] ?? 'open'])));
  const erasure = await anErasure();
  const clear = (after: string) => transactions.run((run) => run(clearWordsStatement(erasure, after, 2)));
  expect(await clear('')).toEqual([{ cleared: 1, last: 'b' }]);
  // What was looked at is not looked at again.
  await context.sql(`UPDATE conversations SET title = 'behind' WHERE id = 'a'`);
  await reconcile.judge(new Map([['e', 'missing']]));
  expect(await clear('b')).toEqual([{ cleared: 2, last: 'd' }]);
  expect(await clear('d')).toEqual([{ cleared: 2, last: 'g' }]);
  expect(await clear('g')).toEqual([{ cleared: 0, last: null }]);
  const none = ['b', 'c', 'd', 'e'].map((id) => [id, null]);
  expect(await titles()).toEqual([['a', 'behind'], ...none, ['f', 'title of f'], ['g', null]]);
});

test('a comparison lists calls while words are cleared', async () => {
  const { reconcile, erasing } = context.store;
  await reconcile.noteListed([listed('a'), listed('b')]);
  const erasure = await anErasure();
  await context.sql(`BEGIN; SELECT FROM conversations WHERE id = 'a' FOR UPDATE`);
  const clearing = erasing.clearListed(erasure, '');
  await vi.waitFor(async () => expect(await context.sql(WAITING)).not.toEqual([]), 20_000);
  await reconcile.noteListed([listed('c')]);
  await context.sql('COMMIT');
  expect(await clearing).toBe('b');
  expect((await erasing.get(erasure))?.counts).toEqual({ listed: 2 });
  expect(await titles()).toEqual(['a', 'b', 'c'].map((id) => [id, null]));
});
