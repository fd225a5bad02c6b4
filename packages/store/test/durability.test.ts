import { inject, expect, onTestFinished, test } from 'vitest';
import { startPrivatePostgres } from '../../../test/support/private-postgres.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { anEvent } from './support/an-event.ts';
import { openQueryStore } from './support/query-store.ts';

function openStore(databaseUrl: string) {
  const store = openQueryStore({ databaseUrl });
  onTestFinished(() => store.close());
  return store;
}

/** Left to itself, such a server writes what was committed asynchronously after ten seconds, and not before. */
const LATE = ['-c', 'synchronous_commit=off', '-c', 'wal_writer_delay=10000', '-c', 'autovacuum=off'];

test('what was applied outlasts a crash in the next moment, though server and role say synchronous_commit=off', async () => {
  const postgres = await startPrivatePostgres(LATE);
  await runSql(postgres.url, 'ALTER ROLE CURRENT_USER SET synchronous_commit = off');
  const store = openStore(postgres.url);
  const event = anEvent({ type: 'conversation.message', data: { conversation_id: 'c' } });
  expect([...(await store.apply([event])).values()]).toEqual(['applied']);
  await postgres.kill();
  await postgres.restart();
  expect(await runSql(postgres.url, 'SELECT id FROM conversations')).toEqual([{ id: 'c' }]);
}, 60_000);

test.each([
  ['off', 'on'],
  ['local', 'on'],
  ['on', 'on'],
  ['remote_write', 'remote_write'],
  ['remote_apply', 'remote_apply'],
])('where a role says synchronous_commit=%s, a transaction has %s', async (said, has) => {
  const url = new URL(inject('databaseUrl'));
  url.searchParams.set('options', `-c synchronous_commit=${said}`);
  const store = openStore(url.href);
  expect(await store.query(`SELECT current_setting('synchronous_commit') AS now`)).toEqual([{ now: has }]);
});

test('says which settings of the server put everything at risk', async () => {
  // Of the tests' own server all of them are off.
  expect(await openStore(inject('databaseUrl')).durabilityRisks()).toEqual([
    expect.stringMatching(/^Postgres has fsync=off: .*Set fsync = on/),
    expect.stringMatching(/^Postgres has full_page_writes=off: .*Set full_page_writes = on/),
  ]);
});
