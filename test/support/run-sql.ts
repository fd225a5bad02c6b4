// oxlint-disable-next-line no-restricted-imports -- tests make and drop databases, which is not the store's work
import { Client } from 'pg';

/** Runs one statement on a connection of its own and answers its rows. */
export async function runSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}
