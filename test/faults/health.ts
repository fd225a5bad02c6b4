import { setTimeout as wait } from 'node:timers/promises';
import { DEAD_LETTER_QUEUE, QUEUE_PREFIX, WEBHOOK_QUEUE } from '../../packages/queue/src/names.ts';
import { lookForUnseen } from './check.ts';
import { untilSeen } from './evidence.ts';
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
  const isServed = () => !sender.isSending() || sent.mark() > mark;
  for (;;) {
    // oxlint-disable no-await-in-loop -- asked again and again
    await lookForUnseen(sent, postgres);
    if (isServed() && sent.isSeenUpTo(mark) && (await Promise.all(apps.map((app) => app.isReady()))).every(Boolean)) {
      return (performance.now() - startedAt) / 1000;
    }
    if (performance.now() - startedAt > limitMs) return undefined;
    await wait(ASK_MS);
    // oxlint-enable no-await-in-loop
  }
}

/** The key of a job by its id, or of the jobs in a state. */
export const keyOf = (name: string): string => `${QUEUE_PREFIX}:${WEBHOOK_QUEUE}:${name}`;

/** How many jobs rest in `failed`, where none may. */
export async function countFailed({ redis }: SystemUnderTest): Promise<number> {
  return Number(await redis.run(['ZCARD', keyOf('failed')]));
}

/** How many dead letters rest in Redis. */
export async function countLetters({ redis }: SystemUnderTest): Promise<number> {
  return Number(await redis.run(['ZCARD', `${QUEUE_PREFIX}:${DEAD_LETTER_QUEUE}:failed`]));
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
export async function untilIdle({ redis }: SystemUnderTest, limitMs: number): Promise<boolean> {
  const startedAt = performance.now();
  let idleSince = performance.now();
  while (performance.now() - idleSince < IDLE_MS) {
    // oxlint-disable no-await-in-loop -- asked again and again
    const jobs = await Promise.all([
      ...['wait', 'active'].map((state) => redis.run(['LLEN', keyOf(state)])),
      ...['delayed', 'prioritized'].map((state) => redis.run(['ZCARD', keyOf(state)])),
    ]);
    if (jobs.some((count) => Number(count) > 0)) idleSince = performance.now();
    if (performance.now() - startedAt > limitMs) return false;
    await wait(ASK_MS);
    // oxlint-enable no-await-in-loop
  }
  return true;
}
