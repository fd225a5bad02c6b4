import { Client } from 'pg';
import { untilSeen } from '../support/until-seen.ts';
import { growthOf } from './evidence.ts';
import type { Fault } from './fault.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** So many events are committed, and then gone. */
const TAIL_EVENTS = 500;
const TAIL_LIMIT_MS = 60_000;
const MOST_TRIES = 5;

async function countEvents({ postgres }: SystemUnderTest): Promise<number> {
  const [row] = await postgres.sqlPatiently('SELECT count(*) AS n FROM webhook_events');
  return Number(row?.['n']);
}

/** Works while Postgres is away, and starts it whatever comes of that. */
async function thenStarted<T>(postgres: SystemUnderTest['postgres'], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await postgres.start();
  }
}

/** Puts an older copy of its data in the place of what Postgres has, as a failover to a replica that lags would. */
async function loseTail(system: SystemUnderTest): Promise<void> {
  const { postgres } = system;
  await postgres.stop();
  const restore = await thenStarted(postgres, postgres.copyData);
  const mark = await insertMark(postgres);
  const before = await countEvents(system);
  await untilSeen(
    `${TAIL_EVENTS} events are committed`,
    async () => (await countEvents(system)) >= before + TAIL_EVENTS,
    TAIL_LIMIT_MS,
  );
  await postgres.crash();
  await thenStarted(postgres, restore);
  // Not by the events: as many may have come again before they are counted.
  if (await hasMark(postgres, mark)) throw new Error('Postgres has lost nothing.');
}

/** Kills Postgres while sessions by default do not wait for the disk, until a row of the suite's own is lost by it. */
async function killWithoutWaiting(system: SystemUnderTest): Promise<void> {
  const { postgres } = system;
  await postgres.sql('ALTER ROLE CURRENT_USER SET synchronous_commit = off');
  await postgres.sql(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
  await postgres.sql('SELECT pg_reload_conf()');
  try {
    await endSessions(system);
    for (let tries = 1; ; tries++) {
      // oxlint-disable no-await-in-loop -- until it strikes
      const hasMore = await growthOf(() => countEvents(system));
      await untilSeen('events are committed', hasMore, TAIL_LIMIT_MS);
      const mark = await insertMark(postgres);
      await postgres.crash();
      await postgres.start();
      if (!(await hasMark(postgres, mark))) return;
      if (tries === MOST_TRIES) throw new Error('Every commit was on the disk; nothing could be lost.');
      // oxlint-enable no-await-in-loop
    }
  } finally {
    await postgres.sqlPatiently('ALTER ROLE CURRENT_USER RESET synchronous_commit');
    await postgres.sqlPatiently('ALTER SYSTEM RESET wal_writer_delay');
    await postgres.sqlPatiently('SELECT pg_reload_conf()');
    await endSessions(system);
  }
}

/** Those that begin then have the role's new settings. */
async function endSessions({ postgres }: SystemUnderTest): Promise<void> {
  await postgres.sqlPatiently(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'landline'`,
  );
}

const MARKS = 'CREATE TABLE IF NOT EXISTS marks (n int)';
let marks = 0;

/** Commits a row of the suite's own, on a connection of its own; it stays open. Returns its number. */
async function insertMark({ url }: SystemUnderTest['postgres']): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(MARKS);
  await client.query(`INSERT INTO marks VALUES (${++marks})`);
  return marks;
}

/** Whether a row that `insertMark` has committed is there. The table itself may be gone with it. */
async function hasMark(postgres: SystemUnderTest['postgres'], mark: number): Promise<boolean> {
  await postgres.sqlPatiently(MARKS);
  return (await postgres.sqlPatiently(`SELECT FROM marks WHERE n = ${mark}`)).length > 0;
}

/** Faults by which Postgres loses what it has committed. */
export const POSTGRES_LOSS_FAULTS: readonly Fault[] = [
  {
    name: 'Postgres loses what it committed last',
    how: 'stopped, its data copied, started; 500 events later SIGKILL, and started with the copy in the place of its data',
    isLong: true,
    inject: loseTail,
  },
  {
    name: 'Postgres killed under synchronous_commit=off',
    how: 'so is its role’s default, and its WAL writer comes every 10 s; SIGKILL, until a row of the suite’s own is lost by it',
    inject: killWithoutWaiting,
  },
];
