import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startPgBouncer } from '../../../test/support/pgbouncer.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { migrate } from '../src/schema/migrate.ts';
import { classifyPoolerError } from '../src/connection/pooler-errors.ts';
import type { StoreOptions } from '../src/store.ts';
import { anEvent } from './support/an-event.ts';
import { emptyDatabase } from './support/empty-database.ts';
import { openQueryStore } from './support/query-store.ts';

function openStore(options: StoreOptions) {
  const store = openQueryStore(options);
  onTestFinished(() => store.close());
  return store;
}

const message = (text: string) =>
  anEvent({ type: 'conversation.message', data: { conversation_id: 'c', message: text, message_id: text } });

/** Tries again as the worker does, for a transaction that gets no connection in time on a busy machine. */
const inTheEnd = <T>(work: () => Promise<T>) => vi.waitFor(work, { timeout: 30_000 });

/** How often each migration is in the records. */
const records = async (url: string) =>
  (await runSql(url, 'SELECT count(*)::int AS n FROM _prisma_migrations GROUP BY migration_name')).map(
    (row) => row['n'],
  );

test('with one connection in all behind PgBouncer, three that migrate at once do so once, and events are applied', async () => {
  const url = await emptyDatabase();
  const pooled = await startPgBouncer(url, { default_pool_size: 1 });
  const results = await Promise.all([migrate(pooled), migrate(pooled), migrate(pooled)]);
  expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  expect(new Set(await records(url))).toEqual(new Set([1]));

  const store = openStore({ databaseUrl: pooled, poolSize: 5 });
  const events = Array.from({ length: 40 }, (_, i) => message(`text ${i}`));
  const outcomes = await Promise.all([
    ...events.map((event) => inTheEnd(() => store.apply([event]))),
    inTheEnd(() => store.probe()),
    inTheEnd(() => store.ping()),
  ]);
  expect(outcomes).toHaveLength(42);
  expect(await store.query('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: 40 }]);
}, 60_000);

test('connection_limit=1 in the URL is enough, and is kept to', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  // The connection of the migration may be there a moment longer.
  const [opened] = await runSql(url, 'SELECT clock_timestamp()::text AS at');
  const store = openStore({ databaseUrl: `${url}?connection_limit=1`, poolSize: 5 });
  await Promise.all([
    ...Array.from({ length: 20 }, (_, i) => inTheEnd(() => store.apply([message(`text ${i}`)]))),
    inTheEnd(() => store.probe()),
    inTheEnd(() => store.beat((found) => Promise.resolve({ seq: found.seq + 1, oldestOpenAt: 0 }))),
  ]);
  // An autovacuum is no client.
  const clients = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND backend_start > $1::timestamptz`;
  expect(await runSql(url, clients, [opened?.['at']])).toHaveLength(1);
});

test('the lock of a migration outlasts the time-out of idle transactions that a host sets', async () => {
  const url = await emptyDatabase();
  await runSql(url, 'CREATE SCHEMA beside');
  // Slower than the time-out.
  await runSql(
    url,
    `CREATE FUNCTION beside.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF to_regclass('public.user_profiles') IS NULL THEN PERFORM pg_sleep(0.3); END IF; END $$`,
  );
  await runSql(url, 'CREATE EVENT TRIGGER slow ON ddl_command_end EXECUTE FUNCTION beside.slow()');
  const limited = new URL(url);
  limited.searchParams.set('options', '-c idle_in_transaction_session_timeout=100ms');
  const results = await Promise.all([migrate(limited.href), migrate(limited.href)]);
  expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  expect(new Set(await records(url))).toEqual(new Set([1]));
});

test('a PgBouncer that takes no more clients is an outage', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const pooled = await startPgBouncer(url, { max_client_conn: 1 });
  await openStore({ databaseUrl: pooled, poolSize: 1 }).ping();
  await expect(openStore({ databaseUrl: pooled, poolSize: 1 }).ping()).rejects.toMatchObject({
    faultClass: 'resources',
  });
});

test('a PgBouncer whose server is away is an outage', async () => {
  const away = await startPgBouncer('postgresql://a:b@127.0.0.1:1/c', { query_wait_timeout: 1, server_login_retry: 1 });
  await expect(openStore({ databaseUrl: away, poolSize: 1 }).ping()).rejects.toMatchObject({
    faultClass: 'connection',
  });
});

describe('the words of a pooler', () => {
  test.each([
    [
      'XX000',
      'resources',
      'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
    ],
    [
      'XX000',
      'resources',
      '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15',
    ],
    ['XX000', 'resources', 'Max client connections reached'],
    ['XX000', 'resources', 'Unable to check out process from the pool due to timeout'],
    [
      'XX000',
      'resources',
      'Failed to acquire permit to connect to the database. Too many database connection attempts are currently ongoing.',
    ],
    [
      'XX000',
      'resources',
      'Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.',
    ],
    ['08P01', 'resources', 'no more connections allowed (max_client_conn)'],
    ['08P01', 'resources', 'client connections exceeded (max_db_client_connections)'],
    [undefined, 'resources', 'Timed-out waiting to acquire database connection'],
    ['08P01', 'connection', 'query_wait_timeout'],
    ['08P01', 'connection', 'server login has been failing, try again later (server_login_retry)'],
    ['XX000', 'connection', "Couldn't connect to compute node"],
    ['XX000', 'connection', 'Control plane request failed'],
    ['XX000', 'connection', '{:shutdown, :db_termination}'],
    ['XX000', 'configuration', 'Tenant or user not found'],
    ['08P01', 'configuration', 'no such database: calls'],
  ])('%s is of the class %s: %s', (code, faultClass, text) => {
    expect(classifyPoolerError(code, text)).toBe(faultClass);
  });

  test.each([
    ['XX000', 'invalid memory alloc request size 1073741824'],
    ['XX001', 'invalid page in block 7 of relation base/5/16384'],
    ['22P02', 'invalid input syntax for type integer: "max clients reached"'],
    ['P0001', 'no more connections allowed'],
  ])('%s keeps its class: %s', (code, text) => {
    expect(classifyPoolerError(code, text)).toBeUndefined();
  });
});
