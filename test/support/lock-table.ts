// oxlint-disable-next-line no-restricted-imports -- a lock is held on a connection of its own, which is not the store's work
import { Client } from 'pg';

/** Locks a table against every other use. Returns the function that unlocks it. */
export function lockTable(url: string, table: string): Promise<() => Promise<void>> {
  return hold(url, `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
}

/** Locks rows against being changed, such as `operations WHERE status = 'running'`. Returns the function that unlocks them. */
export function lockRows(url: string, from: string): Promise<() => Promise<void>> {
  return hold(url, `SELECT FROM ${from} FOR UPDATE`);
}

async function hold(url: string, statement: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`BEGIN; ${statement}`);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}
