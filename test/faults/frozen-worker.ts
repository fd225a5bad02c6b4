import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { untilSeen } from '../support/until-seen.ts';
import { keyOf } from './health.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { withLink } from './without-redis.ts';

/** Jobs that are in a worker's hands for so long are those of one that cannot go on; in ms. */
const STAYS_MS = 1000;
/**
 * A job's lock lasts 10 s, and jobs without one are looked for every 5 s. The other may have to wait for rows of the frozen one's
 * open transactions, which Postgres ends after 30 s. In ms.
 */
const TAKE_OVER_LIMIT_MS = 60_000;
/** How long both then have the jobs, in ms. */
const SHARED_MS = 1000;

/** Freezes a worker that has jobs in its hands, for it hears nothing from Postgres, until the other has every one of them. */
export async function freezeUntilTakenOver(system: SystemUnderTest): Promise<void> {
  const [worker, link] = withLink(system, system.workers, 'worker-Postgres');
  link.hold();
  try {
    const held = await jobsThatStay(system);
    worker.kill('SIGSTOP');
    await untilSeen('another has its jobs', () => areTakenOver(system, held), TAKE_OVER_LIMIT_MS);
    await wait(SHARED_MS);
  } finally {
    worker.kill('SIGCONT');
    link.release();
  }
}

const replySchema = z.array(z.string().nullable());

/** Who has a job locked, by the job's id. */
type Locks = ReadonlyMap<string, string | null>;

async function locksOf({ redis }: SystemUnderTest, jobs: readonly string[]): Promise<Locks> {
  if (jobs.length === 0) return new Map();
  const owners = replySchema.parse(await redis.run(['MGET', ...jobs.map((job) => `${keyOf(job)}:lock`)]));
  return new Map(jobs.map((job, i) => [job, owners[i] ?? null]));
}

async function jobsThatStay(system: SystemUnderTest): Promise<Locks> {
  let stayed: Locks = new Map();
  let before: Locks = new Map();
  await untilSeen('a worker has jobs that it cannot end', async () => {
    const jobs = replySchema.parse(await system.redis.run(['LRANGE', keyOf('active'), '0', '-1']));
    const now = await locksOf(
      system,
      jobs.filter((job) => job !== null),
    );
    stayed = new Map([...now].filter(([job, owner]) => owner !== null && before.get(job) === owner));
    before = now;
    if (stayed.size === 0) await wait(STAYS_MS);
    return stayed.size > 0;
  });
  return stayed;
}

/** Whether each job is another's now, or has been and is gone, for it is done. */
async function areTakenOver(system: SystemUnderTest, held: Locks): Promise<boolean> {
  const now = await locksOf(system, [...held.keys()]);
  for (const [job, owner] of held) {
    const current = now.get(job) ?? null;
    if (current === owner) return false;
    // oxlint-disable-next-line no-await-in-loop -- a few
    if (current === null && Number(await system.redis.run(['EXISTS', keyOf(job)])) > 0) return false;
  }
  return true;
}
