// oxlint-disable-next-line no-restricted-imports -- tests make and drop databases, which is not the store's work
import { Client } from 'pg';

/** Runs one statement on a connection of its own. Returns its rows; `Row` is the type of what the statement selects. */
export async function runSql<Row extends object = Record<string, unknown>>(
  url: string,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...parameters])).rows;
  } finally {
    await client.end();
  }
}
