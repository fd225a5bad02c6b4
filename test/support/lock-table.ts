// oxlint-disable-next-line no-restricted-imports -- a lock is held on a connection of its own, which is not the store's work
import { Client } from 'pg';
import { onTestFinished } from 'vitest';

/** Locks a table against every other use, until the test ends at the latest. Returns the function that unlocks it. */
export function lockTable(url: string, table: string): Promise<() => Promise<void>> {
  return hold(url, `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
}

/** Locks rows against being changed, such as `operations WHERE status = 'running'`, until the test ends at the latest. Returns the function that unlocks them. */
export function lockRows(url: string, from: string): Promise<() => Promise<void>> {
  return hold(url, `SELECT FROM ${from} FOR UPDATE`);
}

/** A server that ends first has ended the lock. */
const isOver = () => undefined;

async function hold(url: string, statement: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  client.on('error', isOver);
  let ended: Promise<void> | undefined;
  const end = async () => {
    await client.query('ROLLBACK').catch(isOver);
    await client.end();
  };
  const unlock = () => (ended ??= end());
  onTestFinished(unlock);
  await client.connect();
  await client.query(`BEGIN; ${statement}`);
  return unlock;
}
