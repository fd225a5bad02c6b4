import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { DEAD_LETTER_QUEUE, QUEUE_PREFIX, WEBHOOK_QUEUE } from '../../packages/queue/src/names.ts';
import { untilSeen } from '../support/until-seen.ts';
import { lookForUnseen } from './check.ts';
import { sumOf } from './evidence.ts';
import { mastersOf } from './redis-nodes.ts';
import type { SystemUnderTest } from './system-under-test.ts';

const ASK_MS = 200;
/** The queue must be empty for so long: what the journal enqueues again comes in parts. */
const IDLE_MS = 3000;

/**
 * Waits until service is well: every process says so, what was answered 200 before this is in the tables, and under load
 * something has been answered 200 since.
 *
 * @returns After how many seconds; undefined when it is not after `limitMs`.
 */
export async function untilHealthy(system: SystemUnderTest, limitMs: number): Promise<number | undefined> {
  const { receivers, workers, sent, postgres, sender } = system;
  const startedAt = performance.now();
  const mark = sent.mark();
  const apps = [...receivers, ...workers];
  const areReady = async () => (await Promise.all(apps.map((app) => app.isReady()))).every(Boolean);
  const isServed = () => !sender.isSending() || sent.mark() > mark;
  for (;;) {
    // oxlint-disable no-await-in-loop -- asked again and again
    await lookForUnseen(sent, postgres);
    if (isServed() && sent.isSeenUpTo(mark) && (await areReady()) && (await haveAllShards(system))) {
      return (performance.now() - startedAt) / 1000;
    }
    if (performance.now() - startedAt > limitMs) return undefined;
    await wait(ASK_MS);
    // oxlint-enable no-await-in-loop
  }
}

/** Whether the receivers write to every shard: with several, they are ready with one of them. */
async function haveAllShards({ nodes, receivers }: SystemUnderTest): Promise<boolean> {
  if (nodes === undefined) return true;
  return (await sumOf(receivers, 'landline_redis_shards_away').catch(() => 1)) === 0;
}

/** The key of a job by its id, or of the jobs in a state, where Redis is one server. */
export const keyOf = (name: string): string => `${QUEUE_PREFIX}:${WEBHOOK_QUEUE}:${name}`;

/** How many jobs rest in `failed`, where none may. */
export async function countFailed(system: SystemUnderTest): Promise<number> {
  return countEach(system, `*:${WEBHOOK_QUEUE}:failed`, 'ZCARD');
}

/** How many events have a dead letter in Redis: in the queues of two shards, an event may have two. */
export async function countLetters(system: SystemUnderTest): Promise<number> {
  const found = await askEach(system, `*:${DEAD_LETTER_QUEUE}:failed`, (key) => ['ZRANGE', key, '0', '-1']);
  return new Set(found.flatMap((ids) => z.array(z.string()).parse(ids))).size;
}

async function countEach(system: SystemUnderTest, keys: string, command: 'LLEN' | 'ZCARD'): Promise<number> {
  const counts = await askEach(system, keys, (key) => [command, key]);
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}

/** Asks each master about each of its keys of this pattern: whichever shards there are, or have been. */
async function askEach(
  system: SystemUnderTest,
  pattern: string,
  question: (key: string) => [string, ...string[]],
): Promise<unknown[]> {
  const masters = system.nodes === undefined ? [system.redis] : await mastersOf(system.nodes);
  const answers = await Promise.all(
    masters.map(async (master) => {
      const keys = z.array(z.string()).parse(await master.run(['KEYS', pattern]));
      return Promise.all(keys.map((key) => master.run(question(key))));
    }),
  );
  return answers.flat();
}

/** Waits until as many letters rest in Redis as the ledger has dead events. @throws When that takes too long. */
export async function untilLettersLie(system: SystemUnderTest, limitMs: number): Promise<void> {
  let seen = '';
  const areAll = async () => {
    const [row] = await system.postgres.sqlPatiently(`SELECT count(*) AS n FROM webhook_events WHERE outcome = 'dead'`);
    const [letters, dead] = [await countLetters(system), Number(row?.['n'])];
    seen = `${letters} letters of ${dead} dead events`;
    return letters === dead;
  };
  await untilSeen('each dead event of the ledger has its letter', areAll, limitMs).catch((error: unknown) => {
    throw new Error(`${String(error)} There are ${seen}.`);
  });
}

/** Waits until no job waits or runs, for good. @returns Whether that came about within `limitMs`. */
export async function untilIdle(system: SystemUnderTest, limitMs: number): Promise<boolean> {
  const startedAt = performance.now();
  let idleSince = performance.now();
  while (performance.now() - idleSince < IDLE_MS) {
    // oxlint-disable no-await-in-loop -- asked again and again
    const jobs = await Promise.all([
      ...['wait', 'active'].map((state) => countEach(system, `*:${WEBHOOK_QUEUE}:${state}`, 'LLEN')),
      ...['delayed', 'prioritized'].map((state) => countEach(system, `*:${WEBHOOK_QUEUE}:${state}`, 'ZCARD')),
    ]);
    if (jobs.some((count) => count > 0)) idleSince = performance.now();
    if (performance.now() - startedAt > limitMs) return false;
    await wait(ASK_MS);
    // oxlint-enable no-await-in-loop
  }
  return true;
}
