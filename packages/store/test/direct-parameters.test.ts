import { expect, inject, onTestFinished, test } from 'vitest';
import { openTransactions } from '../src/connection/transactions.ts';
import type { Parameter } from '../src/connection/statement.ts';

function open() {
  const transactions = openTransactions({ databaseUrl: inject('databaseUrl'), poolSize: 2 });
  onTestFinished(() => transactions.close());
  return transactions;
}

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

test('parameters reach Postgres as they are', async () => {
  const parameters: Parameter[] = ['parameters 1', '{"\\"quoted\\"","نعم 😀"}', EVERY_BYTE];
  const sql = `SELECT $1::text AS key, ($2::text[])[2] AS word, encode($3::bytea, 'hex') AS hex`;
  const rows = await open().run((run) => run({ sql, parameters }));
  expect(rows).toEqual([{ key: 'parameters 1', word: 'نعم 😀', hex: Buffer.from(EVERY_BYTE).toString('hex') }]);
});

test('transactions that run at once have each their own parameters', async () => {
  const transactions = open();
  const ask = (word: string) =>
    transactions.run((run) => run({ sql: 'SELECT $1 || $2 AS n', parameters: [word, '!'] }));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`word ${i}`)));
  expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => [{ n: `word ${i}!` }]));
});
