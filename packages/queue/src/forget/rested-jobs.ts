import type { Redis } from 'ioredis';
import { z } from 'zod';

/** The lists and the sorted sets in which the jobs of a queue lie, by state. */
const LISTS = ['wait', 'paused', 'active'] as const;
const SETS = ['prioritized', 'delayed', 'failed', 'completed'] as const;

/** A state of BullMQ. */
export type JobState = (typeof LISTS)[number] | (typeof SETS)[number];

/** All states; a worker has begun the jobs of `active`. */
export const JOB_STATES: readonly JobState[] = [...LISTS, ...SETS];

/** Ids that are read by one command. */
const PAGE = 1_000;

const scanSchema = z.tuple([z.string(), z.array(z.string())]);

/**
 * Reads the ids of all jobs in a state. A job that stays there meanwhile is among them: new jobs come to the head of a list, where the reading begins, and
 * leave it at its end.
 */
export async function idsInState(connection: Redis, key: string, state: JobState): Promise<string[]> {
  const ids = new Set<string>();
  // oxlint-disable no-await-in-loop -- page after page
  if (LISTS.some((list) => list === state)) {
    for (let start = 0, read = PAGE; read === PAGE; start += PAGE) {
      const page = await connection.lrange(key, start, start + PAGE - 1);
      page.forEach((id) => ids.add(id));
      read = page.length;
    }
  } else {
    for (let cursor: string | undefined = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
      const [next, members] = scanSchema.parse(await connection.zscan(key, cursor, 'COUNT', PAGE));
      // A member and its score, in turn.
      members.forEach((member, i) => i % 2 === 0 && ids.add(member));
      cursor = next;
    }
  }
  // oxlint-enable no-await-in-loop
  return [...ids];
}
