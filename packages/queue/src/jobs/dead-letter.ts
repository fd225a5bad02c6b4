import type { Delivery } from '@landline/webhook';
import { askRedis } from '../redis/ask-redis.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { JOB_NAME, LETTER_JOB_OPTIONS } from './job-options.ts';
import { checkMemory } from '../redis/check-memory.ts';
import type { Death, Job } from './job.ts';
import { DEAD_LETTER_QUEUE } from '../names.ts';
import { openQueue } from './open-queue.ts';

/** How long a letter may take to be written, in ms. */
const ADD_TIMEOUT_MS = 4000;

/** Share of Redis's memory up to which letters are laid again: the rest is for events that are on their way. */
const ROOM_SHARE = 0.75;

/** Leads a letter's job id, so that none is taken for one of BullMQ's own keys. */
const JOB_ID_PREFIX = 'dead-';

/** An event that cannot be applied. */
export interface DeadLetter {
  /** The event's ledger key, a uuid. */
  id: string;
  event: Delivery;
  /** Why it is dead, where the letter is to rest with that and not to be tried first. */
  died?: Death;
}

/** Puts events on the dead-letter queue. */
export interface DeadLetters {
  /**
   * Adds one job for each letter. One that is there already (waiting or resting in `failed`) stays as it is, so a repeat is harmless.
   *
   * @throws QueueUnavailableError when Redis did not take them all; repeat the whole call.
   */
  add(letters: DeadLetter[]): Promise<void>;
  /** Which of these ledger keys have no letter, whatever its state. @throws QueueUnavailableError */
  missing(ids: readonly string[]): Promise<string[]>;
  /** Whether Redis has room for letters beside the events. @throws QueueUnavailableError */
  hasRoom(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the dead-letter queue for writing; connects at once. */
export function createDeadLetters({ redisUrl, prefix }: { redisUrl: string; prefix?: string }): DeadLetters {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: ADD_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openQueue(DEAD_LETTER_QUEUE, connection, prefix);

  async function addOne({ id, event, died }: DeadLetter): Promise<void> {
    const job: Job = { v: 1, events: [event], ...(died && { died }) };
    await queue.add(JOB_NAME, job, { ...LETTER_JOB_OPTIONS, jobId: jobIdOf(id) });
  }

  const ask = <T>(message: string, question: () => Promise<T>) => askRedis(connected, message, question);

  return {
    add: (letters) =>
      ask('Redis did not take the dead letters.', async () => void (await Promise.all(letters.map(addOne)))),
    missing: (ids) =>
      ask('Redis does not tell which dead letters it has.', async () => {
        const found = await Promise.all(ids.map((id) => connection.exists(queue.toKey(jobIdOf(id)))));
        return ids.filter((_, i) => found[i] === 0);
      }),
    hasRoom: () =>
      ask('Redis does not tell how full it is.', async () => {
        const memory = await checkMemory(connection);
        return memory === undefined || memory.usedBytes < memory.maxBytes * ROOM_SHARE;
      }),
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}

function jobIdOf(id: string): string {
  return `${JOB_ID_PREFIX}${id}`;
}

/** The ledger key of the event that a dead letter carries, of its job's id; undefined of another job. */
export function letterId(jobId: string): string | undefined {
  return jobId.startsWith(JOB_ID_PREFIX) ? jobId.slice(JOB_ID_PREFIX.length) : undefined;
}
