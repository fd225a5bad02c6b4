import type { Delivery } from '@landline/webhook';
import { QueueUnavailableError } from '../errors.ts';
import { cleanError } from '../redis/clean-error.ts';
import { endConnection } from '../redis/connection.ts';
import type { Place } from '../servers/place.ts';
import { createSlowConnection, setTimeLimit, slowWriteLimitMs, untilReady } from '../redis/slow-connection.ts';
import { encodeJob } from './encode-job.ts';
import { jobName } from './job-name.ts';
import { EVENT_JOB_OPTIONS } from './job-options.ts';
import { openEventQueue } from './open-queue.ts';

/** A job that may be written more than once. */
export interface SlowJob {
  /** The id of the job: not a number, and without a colon. Each write of the same events has the same id. */
  id: string;
  events: readonly Delivery[];
  /** Of the bodies, or of the records that hold them. */
  bytes: number;
  /** How often a write of this job has failed: each time doubles the limit of the next write. */
  failures?: number;
}

/** Writes jobs one at a time on a connection of its own, with a limit that grows with the bytes of a job. */
export interface SlowWriter {
  /** Connects where needed. Resolves to whether Redis can be reached. */
  isReachable(): Promise<boolean>;
  /** Resolves when Redis has the job. Asks first whether Redis has it already. @throws QueueUnavailableError */
  write(job: SlowJob): Promise<void>;
  /**
   * Resolves when Redis has a job that was never written before. Asks only when the write fails, because Redis may have
   * the job all the same. @throws QueueUnavailableError
   */
  writeNew(job: SlowJob): Promise<void>;
  /** Ends the connection, and rejects the write under way. */
  close(): Promise<void>;
}

/** Makes a writer; it connects at the first use. */
export function openSlowWriter(place: Place): SlowWriter {
  const connection = createSlowConnection(place);
  const queue = openEventQueue(connection, place.prefix);

  const isReachable = () => untilReady(connection);
  const has = async (id: string) => (await connection.exists(queue.toKey(id))) === 1;

  async function add({ id, events, bytes, failures }: SlowJob): Promise<void> {
    const data = encodeJob({ events, bytes });
    setTimeLimit(connection, slowWriteLimitMs(bytes, failures));
    await queue.add(jobName(events.length), data, { ...EVENT_JOB_OPTIONS, jobId: id });
  }

  /** @throws the error of Redis, without the command that holds the bodies */
  async function clean<T>(answer: () => Promise<T>): Promise<T> {
    if (!(await isReachable())) throw new QueueUnavailableError('Redis cannot be reached.');
    try {
      return await answer();
    } catch (error) {
      const cause = cleanError(error);
      throw new QueueUnavailableError(`Redis did not take the job: ${cause.message}`, { cause });
    }
  }

  return {
    isReachable,
    write: (job) =>
      clean(async () => {
        if (!(await has(job.id))) await add(job);
      }),
    async writeNew(job) {
      try {
        await clean(() => add(job));
      } catch (error) {
        if (!(await clean(() => has(job.id)).catch(() => false))) throw error;
      }
    },
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}
