import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { lockTable } from '../support/lock-table.ts';
import { untilSeen } from '../support/until-seen.ts';
import { growthOf, sumOf } from './evidence.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { COMMIT, breakAt } from './process-faults.ts';
import type { SystemUnderTest } from './system-under-test.ts';

const AWAY_MS = 500;

async function stopFor({ postgres }: SystemUnderTest, ms: number): Promise<void> {
  await postgres.stop();
  await wait(ms);
  await postgres.start();
}

async function lockFor(system: SystemUnderTest, ms: number): Promise<void> {
  const unlock = await lockTable(system.postgres.url, anyOf(system, ['conversations', 'webhook_events']));
  const waiting = async () =>
    (await system.postgres.sql("SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted")).length > 0;
  try {
    await untilSeen('somebody waits for the lock', waiting);
    await wait(ms);
  } finally {
    await unlock();
  }
}

/** Tells whether a transaction of a worker has failed since, as `label` says; workers must not be started again meanwhile. */
function transactionFailures({ workers }: SystemUnderTest, label?: string): Promise<() => Promise<boolean>> {
  return growthOf(() => sumOf(workers, 'landline_postgres_errors_total', label));
}

/** With the rest between two looks, ten a second. */
const STORM_REST_MS = 50;

/** Runs a statement on all of the workers' connections again and again, for `ms` and until a transaction has failed of it. */
async function storm(
  system: SystemUnderTest,
  call: 'pg_terminate_backend' | 'pg_cancel_backend',
  ms: number,
): Promise<void> {
  const hasFailed = await transactionFailures(system);
  const end = performance.now() + ms;
  await untilSeen(`a transaction fails of ${call}`, async () => {
    await system.postgres.sql(`SELECT ${call}(pid) FROM pg_stat_activity WHERE application_name = 'landline'`);
    await wait(STORM_REST_MS);
    return performance.now() > end && hasFailed();
  });
}

/** The longest that a deadlock is tried for, in ms. */
const DEADLOCK_LIMIT_MS = 20_000;

/**
 * Locks the users and then the calls against writers, which workers come to in the other order. The worker's deadlock is noticed first,
 * so it is the one that fails. Goes on for `ms`, and until there was one.
 */
async function provokeDeadlocks({ postgres }: SystemUnderTest, ms: number): Promise<void> {
  const seen = async () => Number((await postgres.sql('SELECT sum(deadlocks) AS n FROM pg_stat_database'))[0]?.['n']);
  const before = await seen();
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query(`SET deadlock_timeout = '20s'`);
    const startedAt = performance.now();
    // oxlint-disable no-await-in-loop -- one after the other
    while (performance.now() - startedAt < ms || (await seen()) === before) {
      if (performance.now() - startedAt > DEADLOCK_LIMIT_MS) throw new Error('No deadlock came about.');
      await client.query('BEGIN');
      await client.query('LOCK TABLE user_profiles IN SHARE ROW EXCLUSIVE MODE');
      await wait(200);
      await client.query('LOCK TABLE conversations IN SHARE ROW EXCLUSIVE MODE');
      await client.query('ROLLBACK');
      await wait(200);
    }
    // oxlint-enable no-await-in-loop
  } finally {
    await client.end();
  }
}

/** While it lasts, for `ms` and until one was late, what follows the ledger's statement in a transaction has a millisecond. */
async function timeOut(system: SystemUnderTest, ms: number): Promise<void> {
  const { postgres } = system;
  const isLate = await transactionFailures(system, 'class="timeout"');
  await postgres.sql(`CREATE OR REPLACE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_config('statement_timeout', '1', true); RETURN NULL; END $$`);
  try {
    await postgres.sql(
      `CREATE TRIGGER hurry AFTER INSERT ON webhook_events FOR EACH STATEMENT EXECUTE FUNCTION hurry()`,
    );
    await wait(ms);
    await untilSeen('a statement is late', isLate);
  } finally {
    await postgres.sqlPatiently('DROP TRIGGER IF EXISTS hurry ON webhook_events');
  }
}

/** Pages that the table has already take rows until they are full; in ms. */
const DISK_FULL_LIMIT_MS = 60_000;

/** Faults of Postgres. */
export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'Postgres killed',
    how: 'SIGKILL of its first process at a random moment; started again half a second later',
    async inject(system) {
      await wait(between(system, 0, 500));
      await system.postgres.crash();
      await wait(AWAY_MS);
      await system.postgres.start();
    },
  },
  { name: 'Postgres stopped for 5 s', how: 'a fast shutdown', inject: (system) => stopFor(system, 5000) },
  {
    name: 'Postgres stopped for 60 s',
    how: 'a fast shutdown',
    isLong: true,
    inject: (system) => stopFor(system, 60_000),
  },
  {
    name: 'connections terminated in storms',
    how: 'pg_terminate_backend of every worker’s connection, ten times a second for 3 s, until a transaction has failed',
    inject: (system) => storm(system, 'pg_terminate_backend', 3000),
  },
  {
    name: 'statements cancelled in storms',
    how: 'pg_cancel_backend of every worker’s connection, ten times a second for 3 s, until a transaction has failed',
    inject: (system) => storm(system, 'pg_cancel_backend', 3000),
  },
  {
    name: 'table locked for 5 s',
    how: 'LOCK TABLE … IN ACCESS EXCLUSIVE MODE',
    inject: (system) => lockFor(system, 5000),
  },
  {
    name: 'table locked for 30 s',
    how: 'LOCK TABLE … IN ACCESS EXCLUSIVE MODE',
    isLong: true,
    inject: (system) => lockFor(system, 30_000),
  },
  {
    name: 'deadlocks',
    how: 'the table of users is locked, and then that of calls: the opposite of the worker’s order; for 4 s, until there was one',
    inject: (system) => provokeDeadlocks(system, 4000),
  },
  {
    name: 'statement time-outs',
    how: 'a trigger leaves the transaction’s next statements a millisecond, for 2 s, until one was late',
    inject: (system) => timeOut(system, 2000),
  },
  {
    name: 'Postgres disk full',
    how: 'the table of effects lies on a small disk (tmpfs), which is full for 4 s and more: every transaction fails with 53100',
    unless: ({ smallDisk }) => ('reason' in smallDisk ? smallDisk.reason : undefined),
    async inject(system) {
      const { smallDisk } = system;
      if ('reason' in smallDisk) throw new Error(smallDisk.reason);
      const isFull = await transactionFailures(system, 'class="resources"');
      try {
        await smallDisk.fill();
        await wait(4000);
        await untilSeen('a transaction fails of the full disk', isFull, DISK_FULL_LIMIT_MS);
      } finally {
        await smallDisk.empty();
      }
    },
  },
  {
    name: 'Postgres connection cut after COMMIT was sent',
    how: 'the proxy lets a COMMIT of events through and cuts the line before its answer',
    async inject(system) {
      const link = anyOf(system, system.links['worker-Postgres']);
      await breakAt(link, COMMIT, 'before-answer');
      link.reset();
    },
  },
];
