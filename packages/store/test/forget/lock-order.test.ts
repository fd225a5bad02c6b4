import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTransactions, type Transactions } from '../../src/connection/transactions.ts';
import { lockRowsStatement, makeRowsStatement } from '../../src/forget/forget-statements.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
let transactions: Transactions;
beforeAll(() => {
  transactions = openTransactions({ databaseUrl: context.directUrl, poolSize: 1 });
});
afterAll(() => transactions.close());

test('calls are made and locked in the order of events, also where texts have another one', async () => {
  await context.sql('ALTER TABLE conversations ALTER COLUMN id TYPE text COLLATE "en-x-icu"');
  const ids = ['b2', 'a1', 'B2', 'A1'];
  await transactions.run(async (run) => {
    const made = await run(makeRowsStatement(ids));
    const locked = await run(lockRowsStatement(ids));
    const ordered = ['A1', 'B2', 'a1', 'b2'];
    expect([made.map(({ id }) => id), locked.map(({ id }) => id)]).toEqual([ordered, ordered]);
  });
});
