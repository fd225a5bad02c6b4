import { expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../../test/support/run-sql.ts';
import { migrate, prepareTables } from '../../src/schema/migrate.ts';
import { createStore } from '../../src/store.ts';
import { dump } from '../support/a-person.ts';
import { fillOldLedger, oldDatabase } from '../support/old-ledger.ts';

test('a body that the ledger itself holds, because it is not moved yet, goes as well', async () => {
  const url = await oldDatabase();
  await fillOldLedger(url, 10);
  const sql = (statement: string) => runSql(url, statement);
  await sql(
    `UPDATE webhook_events SET conversation_id = 'c1', body = convert_to('of Zenobia', 'UTF8') WHERE id = md5('3')::uuid`,
  );
  expect(await prepareTables(url)).toMatchObject({ left: 'ours' });
  expect(await dump({ sql })).toContain('of Zenobia');
  const store = createStore({ databaseUrl: url });
  onTestFinished(() => store.close());
  const { counts } = await store.forgetConversations(['c1'], { transcript: true, audio: true });
  expect(counts).toMatchObject({ bodies: 1 });
  expect(await dump({ sql })).not.toContain('of Zenobia');
  await migrate(url);
  expect(await sql('SELECT count(*)::int AS n FROM webhook_bodies')).toEqual([{ n: 9 }]);
});
