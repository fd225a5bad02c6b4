import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../../test/support/root.ts';
import { runSql } from '../../test/support/run-sql.ts';
import type { BenchContext } from '../bench-context.ts';
import type { Contender } from '../contender.ts';
import { WITH_JOURNAL } from '../contenders.ts';
import type { EventKind } from '../load/signed-events.ts';
import type { RunningProgram } from '../processes.ts';
import { PARTS, readAccount, usedBetween, type Account } from './account.ts';
import { preload } from './preload.ts';
import { CONNECTIONS, onStage, type Stage } from './stage.ts';

/** A part of the events warms the processes up. */
const WARM_PART = 0.2;
/** How long sending may take, in seconds: the load ends when all events are sent. */
const SEND_LIMIT_SECONDS = 120;
/** The low load: the events a second of 1,000 calls a minute. */
const LOW_LOAD = { kind: 'live1000', connections: CONNECTIONS, ratePerSecond: 200 } as const;

/** What is measured at full load. */
export interface FullLoad {
  kind: EventKind;
  count: number;
  /** How many receivers, and as many workers. */
  processes: number;
}

/**
 * Measures what an event takes at full load. The receivers take all events while the workers stand still, so that the queue holds all of them;
 * then the workers work them off. Each receiver has as many connections, so that groups are as large.
 */
export function costAtFullLoad(bench: BenchContext, { kind, count, processes }: FullLoad): Promise<Account> {
  return onWarmStage(bench, processes, async ({ stage, workers, read }) => {
    const load = { kind, connections: CONNECTIONS * processes };
    await send(stage, { ...load, count: Math.ceil(count * WARM_PART) });
    await stage.untilDrained();
    const before = await read();
    const queued = await whileStopped(workers, async () => {
      await send(stage, { ...load, count });
      return read();
    });
    await stage.untilDrained();
    return withMemory(usedBetween(before, await read(), count), usedBetween(before, queued, count));
  });
}

/** Measures what a live event takes at a low load, beside what the processes take while no event comes. */
export function costAtLowLoad(bench: BenchContext): Promise<{ event: Account; idleSecond: Account }> {
  const { lowSeconds, idleSeconds } = bench.plan.unitCost;
  const low = { ...LOW_LOAD, count: LOW_LOAD.ratePerSecond * lowSeconds };
  return onWarmStage(bench, 1, async ({ stage, workers, read }) => {
    const idleFrom = await read();
    await wait(idleSeconds * 1000);
    const before = await read();
    const idleSecond = usedBetween(idleFrom, before, (before.at - idleFrom.at) / 1000);
    await send(stage, low);
    await stage.untilDrained();
    const after = await read();
    const queued = await whileStopped(workers, async () => {
      await send(stage, low);
      return read();
    });
    await stage.untilDrained();
    const event = usedBetween(before, without(after, idleSecond, (after.at - before.at) / 1000), low.count);
    return { event: withMemory(event, usedBetween(after, queued, low.count)), idleSecond };
  });
}

/**
 * Measures the bytes of WAL of a live event right after a checkpoint, with many rows there. Postgres writes the first change of a page after a
 * checkpoint with the whole page, and the keys of the ledger are hashes: so each event changes a page that no other one does.
 */
export async function walAfterCheckpoint(bench: BenchContext): Promise<number> {
  const { preloadMessages, lowSeconds } = bench.plan.unitCost;
  const contender: Contender = { ...WITH_JOURNAL, prepare: ({ databaseUrl }) => preload(databaseUrl, preloadMessages) };
  return onStage(bench, { contender }, async (stage) => {
    await stage.startWorkers(1);
    const walAt = async (): Promise<number> => {
      const sql = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal`;
      return (await runSql<{ wal: number }>(stage.place.databaseUrl, sql))[0]?.wal ?? Number.NaN;
    };
    await runSql(stage.place.databaseUrl, 'CHECKPOINT');
    const before = await walAt();
    const count = Math.ceil((LOW_LOAD.ratePerSecond * lowSeconds) / 3);
    await send(stage, { ...LOW_LOAD, count });
    await stage.untilDrained();
    return ((await walAt()) - before) / count;
  });
}

/** A stage whose processes are warm. */
interface WarmStage {
  stage: Stage;
  workers: readonly RunningProgram[];
  /** Reads all counters of the stage. */
  read: () => Promise<Account>;
}

function onWarmStage<T>(bench: BenchContext, processes: number, work: (warm: WarmStage) => Promise<T>): Promise<T> {
  const journal = join(ROOT, '.data', 'bench', 'journal', randomBytes(4).toString('hex'));
  const receiver: Contender['receiver'] = (place, port) => {
    const { script, env } = WITH_JOURNAL.receiver(place, port);
    return { script, env: { ...env, JOURNAL_DIR: journal } };
  };
  const cast = { contender: { ...WITH_JOURNAL, receiver }, receivers: processes };
  return onStage(bench, cast, async (stage) => {
    const workers = await stage.startWorkers(processes);
    // All processes are warm when each of them has had its share.
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let i = 0; i < processes; i++) await stage.warmUp();
    await stage.untilDrained();
    return work({ stage, workers, read: () => readAccount(bench, { stage, workers, journal }) });
  });
}

interface Sent {
  kind: EventKind;
  connections: number;
  count: number;
  /** As fast as the receivers take them, where it is not given. */
  ratePerSecond?: number;
}

/** Sends events. @throws When not all of them were answered 200 */
async function send(stage: Stage, load: Sent): Promise<void> {
  const prepared = await stage.prepare({ ...load, seconds: SEND_LIMIT_SECONDS });
  const { accepted, refused, unknown } = await prepared.run();
  const answers = `${accepted.ids.length} were answered 200, ${refused.length} otherwise, ${unknown} not at all`;
  if (accepted.ids.length < load.count) throw new Error(`Of ${load.count} events ${answers}.`);
}

/** Runs `work` while processes stand still. */
async function whileStopped<T>(programs: readonly RunningProgram[], work: () => Promise<T>): Promise<T> {
  for (const { pid } of programs) process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    for (const { pid } of programs) process.kill(pid, 'SIGCONT');
  }
}

/** A cost with the memory of Redis while all events were queued: afterwards it is free again. */
function withMemory(cost: Account, whileQueued: Account): Account {
  return { ...cost, bytes: { ...cost.bytes, 'memory of Redis': whileQueued.bytes['memory of Redis'] } };
}

/** An account without the CPU that the processes would have used in so many seconds without events. */
function without(account: Account, idleSecond: Account, seconds: number): Account {
  const cpuUs = { ...account.cpuUs };
  for (const part of PARTS) cpuUs[part] -= idleSecond.cpuUs[part] * seconds;
  return { ...account, cpuUs };
}
