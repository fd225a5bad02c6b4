import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runSql } from '../../test/support/run-sql.ts';
import { usageOf, usageOfTree } from '../../test/support/usage.ts';
import { withRedis } from '../../test/support/with-redis.ts';
import type { BenchContext } from '../bench-context.ts';
import type { RunningProgram } from '../processes.ts';
import type { Stage } from './stage.ts';

/** Postgres writes its tables, and Linux counts CPU time, only a moment later. */
const SETTLE_MS = 1000;

/** The parts that use CPU. */
export const PARTS = ['receiver', 'worker', 'Redis', 'Postgres'] as const;

/** What each part has used until a moment. */
export interface Account {
  /** When it was read, in milliseconds of this process' clock. */
  at: number;
  /** In microseconds; of all processes of a kind together. */
  cpuUs: Record<(typeof PARTS)[number], number>;
  /** In bytes. All but the memory of Redis only grow, except where Redis rewrites its append-only file. */
  bytes: Record<'memory of Redis' | 'append-only file' | 'journal' | 'WAL' | 'tables and indexes', number>;
}

/** The processes of a stage, and the folder of the receivers' journal. */
export interface Accounted {
  stage: Pick<Stage, 'receivers' | 'place'>;
  workers: readonly RunningProgram[];
  journal: string;
}

/** Reads all counters, a moment later. */
export async function readAccount({ services }: BenchContext, accounted: Accounted): Promise<Account> {
  const { stage, workers, journal } = accounted;
  await wait(SETTLE_MS);
  const [postgres] = await runSql<{ wal: number; database: number }>(
    stage.place.databaseUrl,
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
      pg_database_size(current_database())::float8 AS database`,
  );
  const info = await withRedis(stage.place.redisUrl, (redis) => redis.info());
  const ofRedis = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return {
    at: performance.now(),
    cpuUs: {
      receiver: cpuUsOf(stage.receivers),
      worker: cpuUsOf(workers),
      Redis: usageOf(services.redis.pid).cpuSeconds * 1e6,
      Postgres: usageOfTree(services.postgres.pid).cpuSeconds * 1e6,
    },
    bytes: {
      'memory of Redis': ofRedis('used_memory'),
      'append-only file': ofRedis('aof_current_size'),
      journal: await sizeOf(journal),
      WAL: postgres?.wal ?? Number.NaN,
      'tables and indexes': postgres?.database ?? Number.NaN,
    },
  };
}

/** Computes what was used between two accounts, for each of `count` events or seconds. */
export function usedBetween(before: Account, after: Account, count: number): Account {
  return {
    at: after.at,
    cpuUs: perUnit(before.cpuUs, after.cpuUs, count),
    bytes: perUnit(before.bytes, after.bytes, count),
  };
}

function perUnit<Name extends string>(
  before: Readonly<Record<Name, number>>,
  after: Readonly<Record<Name, number>>,
  count: number,
): Record<Name, number> {
  const used: Record<Name, number> = { ...after };
  for (const name in used) used[name] = (after[name] - before[name]) / count;
  return used;
}

function cpuUsOf(programs: readonly RunningProgram[]): number {
  return programs.reduce((sum, program) => sum + program.usage().cpuSeconds, 0) * 1e6;
}

/** The bytes of all files. The journal renames files meanwhile: one that is gone counts nothing. */
async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
