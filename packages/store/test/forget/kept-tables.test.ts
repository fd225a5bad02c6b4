import { expect, onTestFinished, test } from 'vitest';
import { runSql } from '../../../../test/support/run-sql.ts';
import { migrate } from '../../src/schema/migrate.ts';
import { makeRoles } from '../../src/schema/roles.ts';
import { createStore } from '../../src/store.ts';
import { dump, eventsOfCall, TRACES, transcriptOf } from '../support/a-person.ts';
import { emptyDatabase } from '../support/empty-database.ts';

const ALL = { transcript: true, audio: true };
const KEPT = [
  'conversations',
  'conversation_messages',
  'agent_tool_calls',
  'user_commands',
  'user_profiles',
  'conversation_recordings',
];

/** A database with the three roles, one call in it, and a rebuild's tables of the owner beside: one that was kept and one that is being made. */
async function rebuiltDatabase(schema: string | undefined) {
  const admin = await emptyDatabase(schema);
  const prefix = `p${crypto.randomUUID().replaceAll('-', '')}`;
  const urls = await makeRoles({ adminUrl: admin, passwords: { owner: 'a', worker: 'b', reader: 'c' }, prefix });
  onTestFinished(async () => {
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable no-await-in-loop -- three
      await runSql(admin, `DROP OWNED BY ${prefix}_${role} CASCADE`);
      await runSql(admin, `DROP ROLE ${prefix}_${role}`);
      // oxlint-enable no-await-in-loop
    }
  });
  await migrate(urls.owner);
  const store = createStore({ databaseUrl: urls.worker });
  onTestFinished(() => store.close());
  await store.apply(eventsOfCall('c1'));
  const live = schema ?? 'public';
  const path = `SET search_path = "${live}"; `;
  for (const name of ['landline_before_20261129', 'landline_rebuild_1']) {
    const copies = KEPT.map((table) => `CREATE TABLE ${name}.${table} (LIKE "${live}".${table} INCLUDING ALL)`);
    const rows = KEPT.map((table) => `INSERT INTO ${name}.${table} SELECT * FROM "${live}".${table}`);
    // oxlint-disable-next-line no-await-in-loop -- two
    await runSql(urls.owner, `CREATE SCHEMA ${name}; ${[...copies, ...rows].join('; ')}`);
  }
  return { store, path, ...urls };
}

const idsIn = async (url: string, schema: string) =>
  (await runSql(url, `SELECT id, erased_at IS NOT NULL AS erased FROM ${schema}.conversations ORDER BY id`)).map(
    ({ id, erased }) => `${String(id)} ${String(erased)}`,
  );

test.each(['Calls'])('the tables of a rebuild forget with the tables in the schema %s', async (schema) => {
  const { store, owner, worker, path } = await rebuiltDatabase(schema);
  await runSql(
    owner,
    `INSERT INTO landline_before_20261129.user_commands (conversation_id, action_id, command, created_at, clocks)
    VALUES ('neighbour', 'a', 'stays', now(), '{}')`,
  );
  const ofCall = { key: { conversation_id: 'c1', event_key: '0' }, before: 'I am Zenobia', after: null };
  const ofNeighbour = { key: { conversation_id: 'neighbour', event_key: '0' }, before: 'a', after: 'b' };
  await runSql(
    owner,
    `CREATE TABLE landline_before_20261129.landline_differences (table_name text, column_name text, rows bigint, sample jsonb);
     INSERT INTO landline_before_20261129.landline_differences VALUES
       ('conversation_messages', 'content', 2, '${JSON.stringify([ofCall, ofNeighbour])}')`,
  );
  const traces = async () => {
    const text = await dump({ sql: (statement) => runSql(owner, statement) });
    return TRACES.filter((trace) => text.replaceAll(/^\S+\.user_profiles .*$/gm, '').includes(trace));
  };
  expect(await traces()).toEqual([...TRACES]);
  const { counts } = await store.forgetConversations(['c1', 'c2'], ALL);
  expect(counts.kept_rows).toBeGreaterThan(0);
  expect(await traces()).toEqual([]);
  expect(await idsIn(owner, 'landline_before_20261129')).toEqual(['c1 true']);
  expect(await runSql(owner, 'SELECT rows::int, sample FROM landline_before_20261129.landline_differences')).toEqual([
    { rows: 2, sample: [ofNeighbour] },
  ]);
  // The rebuild has not come to this one yet.
  expect(await idsIn(owner, 'landline_rebuild_1')).toEqual(['c1 true', 'c2 true']);
  expect(await runSql(owner, `SELECT command FROM landline_before_20261129.user_commands`)).toEqual([
    { command: 'stays' },
  ]);
  expect(
    await runSql(owner, `SELECT deleted_at IS NULL AS there FROM landline_rebuild_1.conversation_recordings`),
  ).toEqual([{ there: false }]);
  // Nobody but the function may use these tables, and it takes no conversation that is not erased here.
  await expect(runSql(worker, 'SELECT 1 FROM landline_before_20261129.conversations')).rejects.toMatchObject({
    code: '42501',
  });
  await store.apply([transcriptOf('c3')]);
  await runSql(
    owner,
    `${path}INSERT INTO landline_before_20261129.conversations SELECT * FROM conversations WHERE id = 'c3'`,
  );
  expect(
    await runSql(worker, `SELECT "${schema ?? 'public'}".landline_forget_in_kept_tables('{c3}', '{}')::int AS count`),
  ).toEqual([{ count: 0 }]);
});

test('the function takes no other tables for its own', async () => {
  const { worker, reader } = await rebuiltDatabase(undefined);
  await expect(
    runSql(
      worker,
      `CREATE TEMP TABLE webhook_events (id int); SELECT landline_forget_in_kept_tables('{}', '{}', 'pg_temp.webhook_events')`,
    ),
  ).rejects.toMatchObject({ code: '42501' });
  await expect(
    runSql(reader, `BEGIN READ WRITE; SELECT landline_forget_in_kept_tables('{}', '{}')`),
  ).rejects.toMatchObject({ code: '42501' });
});
