import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { anEvent } from './support/an-event.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const FILE = `/tmp/landline-query-test-${process.pid}`;

test.each([
  'DELETE FROM webhook_events',
  'COMMIT; DELETE FROM webhook_events',
  'COMMIT;',
  'SELECT 1; SELECT 2',
  'WITH gone AS (DELETE FROM webhook_events RETURNING id) SELECT * FROM gone',
  `COPY (SELECT 1) TO '${FILE}'`,
  `COPY (SELECT 1) TO PROGRAM 'cat > ${FILE}'`,
  'SET TRANSACTION READ WRITE',
])('query changes nothing: %s', async (sql) => {
  await context.sql('DELETE FROM webhook_events');
  await context.store.apply([anEvent({ type: 'anything', data: {} })]);
  await expect(context.store.query(sql)).rejects.toThrow(/one SELECT at a time|syntax error|data-modifying/);
  expect(await context.store.query('SELECT count(*)::int AS n FROM webhook_events;')).toEqual([{ n: 1 }]);
  expect(existsSync(FILE)).toBe(false);
});
