import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { openTransactions, type TransactionOptions } from '../src/connection/transactions.ts';
import type { Parameter } from '../src/connection/statement.ts';
import { StoreError } from '../src/errors.ts';

function open(options: Partial<TransactionOptions> = {}) {
  const transactions = openTransactions({ databaseUrl: inject('databaseUrl'), poolSize: 2, ...options });
  onTestFinished(() => transactions.close());
  return transactions;
}

/** Waits until a backend has no transaction. */
async function untilIdle(pid: number): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE pid = ${pid} AND state = 'idle'`;
  const watch = open();
  await expect.poll(() => watch.run((run) => run({ sql, parameters: [] })), { timeout: 20_000 }).toHaveLength(1);
}

/** A machine that stalls may cost a transaction its connection, or its time. Throws what is wrong in any other way. */
function unlessTooLate(error: unknown): undefined {
  if (!(error instanceof StoreError && ['timeout', 'connection'].includes(error.faultClass))) throw error;
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

test('rows come back with the types of their columns', async () => {
  const sql = `SELECT true AS yes, 7::int AS whole, 1.5::float8 AS part, NULL::text AS nothing, '{"a":[1]}'::jsonb AS json, '\\x00ff'::bytea AS bytes`;
  const [row] = await open().run((run) => run({ sql, parameters: [] }));
  expect(row).toEqual({
    yes: true,
    whole: 7,
    part: 1.5,
    nothing: null,
    json: { a: [1] },
    bytes: Buffer.from([0, 255]),
  });
});

test('a statement that comes after its transaction was given up reaches no other one', async () => {
  // Prisma gives a transaction up after twice this time.
  const transactions = open({ poolSize: 1, statementTimeoutMs: 1_000 });
  const pidOf = `SELECT pg_backend_pid() AS pid, set_config('idle_in_transaction_session_timeout', '0', true) AS none`;
  let late: unknown;
  const outcome = await transactions
    .run(async (run) => {
      const [row] = await run({ sql: pidOf, parameters: [] });
      await untilIdle(Number(row?.['pid']));
      late = await run({ sql: 'SELECT 1 AS one', parameters: [] }).catch((error: unknown) => error);
      throw late;
    })
    .catch((error: unknown) => error);
  expect(late).toBeInstanceOf(Error);
  expect(outcome).toMatchObject({ faultClass: 'timeout' });
  const rows = await vi.waitUntil(
    () => transactions.run((run) => run({ sql: 'SELECT 2 AS two', parameters: [] })).catch(unlessTooLate),
    { timeout: 20_000 },
  );
  expect(rows).toEqual([{ two: 2 }]);
});
