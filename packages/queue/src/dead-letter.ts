import { cleanError } from './clean-error.ts';
import { createProducerConnection, endConnection, firstAttempt } from './connection.ts';
import { QueueUnavailableError } from './errors.ts';
import { JOB_NAME, LETTER_JOB_OPTIONS } from './job-options.ts';
import type { DeliveredEvent, Job } from './job.ts';
import { DEAD_LETTER_QUEUE } from './names.ts';
import { openQueue } from './open-queue.ts';

/** How long a letter may take to be written, in ms. */
const ADD_TIMEOUT_MS = 4000;

/** An event that cannot be applied. */
export interface DeadLetter {
  /** The event's ledger key, a uuid. */
  id: string;
  event: DeliveredEvent;
}

/** Puts events on the dead-letter queue. */
export interface DeadLetters {
  /**
   * Adds one job for each letter. One that is there already (waiting or resting in `failed`) stays as it is, so a repeat is harmless.
   *
   * @throws QueueUnavailableError when Redis did not take them all; repeat the whole call.
   */
  add(letters: DeadLetter[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the dead-letter queue for writing; connects at once. */
export function createDeadLetters({ redisUrl, prefix }: { redisUrl: string; prefix?: string }): DeadLetters {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: ADD_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openQueue(DEAD_LETTER_QUEUE, connection, prefix);

  async function addOne({ id, event }: DeadLetter): Promise<void> {
    const job: Job = { v: 1, events: [event] };
    await queue.add(JOB_NAME, job, { ...LETTER_JOB_OPTIONS, jobId: `dead-${id}` });
  }

  return {
    async add(letters) {
      await connected;
      try {
        await Promise.all(letters.map(addOne));
      } catch (error) {
        throw new QueueUnavailableError('Redis did not take the dead letters.', { cause: cleanError(error) });
      }
    },
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}
