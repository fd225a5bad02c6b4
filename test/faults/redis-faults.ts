import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { untilSeen } from '../support/until-seen.ts';
import { sumOf } from './evidence.ts';
import { anyOf, between, type Fault } from './fault.ts';
import { startLink } from './link.ts';
import { keyOf } from './health.ts';
import { ADD_JOB, breakAt } from './process-faults.ts';
import { startRedisServer } from './redis-server.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { midCatchUp } from './without-redis.ts';

const AWAY_MS = 500;
/** How far behind a replica is when it takes over, in ms. */
const LAG_MS = 2000;
const SYNC_LIMIT_MS = 30_000;

async function crashAndRestart({ redis }: SystemUnderTest): Promise<void> {
  await redis.crash();
  await wait(AWAY_MS);
  await redis.start();
}

async function freeze({ redis }: SystemUnderTest, ms: number): Promise<void> {
  redis.kill('SIGSTOP');
  try {
    await wait(ms);
  } finally {
    redis.kill('SIGCONT');
  }
}

let replicas = 0;

/** What comes while a replica takes the place of its primary. */
interface FailOver {
  /** While the replica hears all. */
  before?: () => Promise<void>;
  /** While it hears nothing. */
  meanwhile?: () => Promise<unknown>;
}

/** A replica that has stopped hearing from its primary takes its place. */
export async function failOver(
  system: SystemUnderTest,
  { before, meanwhile = () => wait(LAG_MS) }: FailOver = {},
): Promise<void> {
  const { redis } = system;
  const line = await startLink(redis.port);
  const replica = await startRedisServer(join(system.folder, `redis-${++replicas}`), {
    passwordOf: redis,
    env: system.redisEnv,
  });
  try {
    await replica.run(['CONFIG', 'SET', 'masterauth', redis.password]);
    await replica.run(['REPLICAOF', '127.0.0.1', String(line.port)]);
    await untilSynchronised(replica);
    await before?.();
    line.hold();
    await meanwhile();
    await redis.crash();
    line.reset();
    await replica.run(['REPLICAOF', 'NO', 'ONE']);
    await system.failOverTo(replica);
  } catch (error) {
    await replica.stop();
    throw error;
  } finally {
    await line.close();
  }
}

/** Empties Redis while events wait in it, for the workers are out of its reach. */
async function emptyWithBacklog(system: SystemUnderTest): Promise<void> {
  const links = system.links['worker-Redis'];
  for (const link of links) {
    link.refuse(true);
    link.reset();
  }
  try {
    await wait(3000);
    const waiting = async () => Number(await system.redis.run(['LLEN', keyOf('wait')])) > 0;
    await untilSeen('events wait in Redis', waiting);
    await system.redis.run(['FLUSHALL']);
  } finally {
    for (const link of links) link.refuse(false);
  }
}

async function untilSynchronised(replica: SystemUnderTest['redis']): Promise<void> {
  const deadline = performance.now() + SYNC_LIMIT_MS;
  // oxlint-disable-next-line no-await-in-loop -- asked again and again
  while (!String(await replica.run(['INFO', 'replication'])).includes('master_link_status:up')) {
    if (performance.now() > deadline) throw new Error('The replica was never synchronised.');
    // oxlint-disable-next-line no-await-in-loop -- asked again and again
    await wait(100);
  }
}

/** Faults of Redis. */
export const REDIS_FAULTS: readonly Fault[] = [
  {
    name: 'Redis killed',
    how: 'SIGKILL at a random moment; started again half a second later',
    async inject(system) {
      await wait(between(system, 0, 500));
      await crashAndRestart(system);
    },
  },
  {
    name: 'Redis killed while it is caught up with',
    how: 'out of the receivers’ reach for 2,000 events; SIGKILL when it has part of them, and part is pending',
    inject: (system) => midCatchUp(system, () => crashAndRestart(system)),
  },
  {
    name: 'Redis restarted',
    how: 'SIGTERM, started again at once',
    async inject({ redis }) {
      await redis.stop();
      await redis.start();
    },
  },
  { name: 'Redis frozen for 5 s', how: 'SIGSTOP, SIGCONT', inject: (system) => freeze(system, 5000) },
  { name: 'Redis frozen for 60 s', how: 'SIGSTOP, SIGCONT', isLong: true, inject: (system) => freeze(system, 60_000) },
  {
    name: 'Redis out of memory',
    how: 'CONFIG SET maxmemory to half of what it uses, under noeviction, for 4 s',
    async inject({ redis, receivers }) {
      const used = /used_memory:(\d+)/.exec(String(await redis.run(['INFO', 'memory'])))?.[1];
      try {
        await redis.run(['CONFIG', 'SET', 'maxmemory', String(Math.ceil(Number(used) / 2))]);
        await wait(4000);
        await untilSeen('no receiver writes to Redis', async () => (await sumOf(receivers, 'landline_redis_up')) === 0);
      } finally {
        await redis.run(['CONFIG', 'SET', 'maxmemory', '0']);
      }
    },
  },
  {
    name: 'Redis emptied',
    how: 'FLUSHALL under load',
    async inject(system) {
      await wait(between(system, 0, 500));
      await system.redis.run(['FLUSHALL']);
    },
  },
  {
    name: 'Redis emptied with a backlog in it',
    how: 'the workers are out of its reach for three seconds, so that events wait in it; FLUSHALL',
    inject: emptyWithBacklog,
  },
  {
    name: 'Redis disk lost',
    how: 'SIGKILL, its folder removed, started empty',
    async inject({ redis }) {
      await redis.crash();
      await redis.wipe();
      await redis.start();
    },
  },
  {
    name: 'failover to a replica that lags',
    how: 'a replica hears nothing for 2 s, its primary is killed, it is promoted, the proxies lead to it',
    inject: (system) => failOver(system),
  },
  {
    name: 'Redis connection cut in the middle of a command',
    how: `the proxy passes on half of what adds a job (${ADD_JOB.name}) and resets`,
    inject: (system) => breakAt(anyOf(system, system.links['receiver-Redis']), ADD_JOB, 'mid-command'),
  },
];
