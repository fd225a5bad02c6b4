import { Client } from 'pg';
import { expect, test } from 'vitest';

test('leaves a connection to Postgres open', async () => {
  const client = new Client({ connectionString: process.env['DATABASE_URL'] });
  await client.connect();
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});
