// oxlint-disable-next-line no-restricted-imports -- a lock is held on a connection of its own, which is not the store's work
import { Client } from 'pg';

/** Locks a table against every other use. Returns the function that unlocks it. */
export async function lockTable(url: string, table: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}
