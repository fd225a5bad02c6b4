import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { lockTable } from '../support/lock-table.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { COMMIT, breakAt } from './process-faults.ts';
import type { Rig } from './rig.ts';

const AWAY_MS = 500;

async function stopFor({ postgres }: Rig, ms: number): Promise<void> {
  await postgres.stop();
  await wait(ms);
  await postgres.start();
}

async function lockFor(rig: Rig, ms: number): Promise<void> {
  const unlock = await lockTable(rig.postgres.url, anyOf(rig, ['conversations', 'webhook_events']));
  try {
    await wait(ms);
  } finally {
    await unlock();
  }
}

/** Runs a statement on all of the workers' connections again and again. */
async function storm({ postgres }: Rig, call: 'pg_terminate_backend' | 'pg_cancel_backend', ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- again and again
    await postgres.sql(`SELECT ${call}(pid) FROM pg_stat_activity WHERE application_name = 'landline'`);
    // oxlint-disable-next-line no-await-in-loop -- again and again
    await wait(100);
  }
}

/** Of the last rows of the ledger, which are in its last pages. */
const LAST_CALLS = `SELECT DISTINCT conversation_id FROM webhook_events WHERE conversation_id IS NOT NULL
  AND ctid >= format('(%s,0)', greatest(0, pg_relation_size('webhook_events') / 8192 - 20))::tid`;

/** The longest that a deadlock is tried for, in ms. */
const DEADLOCK_LIMIT_MS = 20_000;

/**
 * Locks the users of running calls and then the calls, which workers lock in the other order. The worker's deadlock is noticed first,
 * so it is the one that fails. Goes on for `ms`, and until there was one.
 */
async function provokeDeadlocks({ postgres }: Rig, ms: number): Promise<void> {
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
      await client.query(
        `SELECT FROM user_profiles WHERE user_id IN (SELECT user_id FROM conversations WHERE id IN (${LAST_CALLS})) FOR UPDATE`,
      );
      await wait(200);
      await client.query(`SELECT FROM conversations WHERE id IN (${LAST_CALLS}) FOR UPDATE`);
      await client.query('ROLLBACK');
      await wait(200);
    }
    // oxlint-enable no-await-in-loop
  } finally {
    await client.end();
  }
}

/** While it lasts, what follows the ledger's statement in a transaction has a millisecond. */
async function timeOut({ postgres }: Rig, ms: number): Promise<void> {
  await postgres.sql(`CREATE OR REPLACE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_config('statement_timeout', '1', true); RETURN NULL; END $$`);
  await postgres.sql(`CREATE TRIGGER hurry AFTER INSERT ON webhook_events FOR EACH STATEMENT EXECUTE FUNCTION hurry()`);
  try {
    await wait(ms);
  } finally {
    await postgres.sqlPatiently('DROP TRIGGER IF EXISTS hurry ON webhook_events');
  }
}

/** Faults of Postgres. */
export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'Postgres killed',
    how: 'SIGKILL of its first process at a random moment; started again half a second later',
    async inject(rig) {
      await wait(between(rig, 0, 500));
      await rig.postgres.crash();
      await wait(AWAY_MS);
      await rig.postgres.start();
    },
  },
  { name: 'Postgres stopped for 5 s', how: 'a fast shutdown', inject: (rig) => stopFor(rig, 5000) },
  { name: 'Postgres stopped for 60 s', how: 'a fast shutdown', isLong: true, inject: (rig) => stopFor(rig, 60_000) },
  {
    name: 'connections terminated in storms',
    how: 'pg_terminate_backend of every worker’s connection, ten times a second for 3 s',
    inject: (rig) => storm(rig, 'pg_terminate_backend', 3000),
  },
  {
    name: 'statements cancelled in storms',
    how: 'pg_cancel_backend of every worker’s connection, ten times a second for 3 s',
    inject: (rig) => storm(rig, 'pg_cancel_backend', 3000),
  },
  { name: 'table locked for 5 s', how: 'LOCK TABLE … IN ACCESS EXCLUSIVE MODE', inject: (rig) => lockFor(rig, 5000) },
  {
    name: 'table locked for 30 s',
    how: 'LOCK TABLE … IN ACCESS EXCLUSIVE MODE',
    isLong: true,
    inject: (rig) => lockFor(rig, 30_000),
  },
  {
    name: 'deadlocks',
    how: 'users of running calls are locked, and then the calls: the opposite of the worker’s order; for 4 s',
    inject: (rig) => provokeDeadlocks(rig, 4000),
  },
  {
    name: 'statement time-outs',
    how: 'a trigger leaves the transaction’s next statements a millisecond, for 2 s',
    inject: (rig) => timeOut(rig, 2000),
  },
  {
    name: 'Postgres disk full',
    how: 'the table of effects lies on a small disk (tmpfs), which is full for 4 s: every transaction fails with 53100',
    unless: ({ smallDisk }) => ('reason' in smallDisk ? smallDisk.reason : undefined),
    async inject({ smallDisk }) {
      if ('reason' in smallDisk) throw new Error(smallDisk.reason);
      await smallDisk.fill();
      try {
        await wait(4000);
      } finally {
        await smallDisk.empty();
      }
    },
  },
  {
    name: 'Postgres connection cut after COMMIT was sent',
    how: 'the proxy lets a COMMIT through and cuts the line before its answer',
    async inject(rig) {
      const link = anyOf(rig, rig.links['worker-Postgres']);
      await breakAt(link, COMMIT, 'before-answer');
      link.reset();
    },
  },
];
