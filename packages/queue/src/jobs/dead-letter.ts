import type { Delivery } from '@landline/webhook';
import { DEAD_LETTER_QUEUE } from '../names.ts';
import { askRedis } from '../redis/ask-redis.ts';
import { checkMemory } from '../redis/check-memory.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { createDeadLetterCheck, type DeadLetterCheck } from '../redis/dead-letter-check.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { deadLetterId } from './dead-letter-id.ts';
import { DEAD_LETTER_JOB_OPTIONS, JOB_NAME } from './job-options.ts';
import { jobOf, type Death } from './job.ts';
import { openQueue } from './open-queue.ts';
import { sweepLetters, type RestingLetter } from './sweep-letters.ts';

/** How long Redis may take to store dead letters, in ms. */
const ADD_TIMEOUT_MS = 4000;

/** How long Redis may take to answer the check, in ms. */
const CHECK_TIMEOUT_MS = 2000;

/** Share of Redis's memory up to which dead letters are restored. The rest is for events that are on their way. */
const ROOM_SHARE = 0.75;

/** An event that cannot be applied. */
export interface DeadLetter {
  /** The event's ledger id, a uuid. */
  id: string;
  event: Delivery;
  /** Why the event is dead. With it the dead letter is not tried first, but rests with this error. */
  died?: Death;
}

/** The dead-letter queue, for writing. */
export interface DeadLetters {
  /**
   * Adds one job for each dead letter. One that is there already (waiting or resting in `failed`) stays as it is: a repeat is harmless.
   *
   * @throws QueueUnavailableError when Redis did not take them all; repeat the whole call.
   */
  add(deadLetters: DeadLetter[]): Promise<void>;
  /** Returns those of these ledger ids that have no dead letter in any state. @throws QueueUnavailableError */
  missing(ids: readonly string[]): Promise<string[]>;
  /** Removes the letters of these events, in any state but that in which a worker has them. @throws QueueUnavailableError */
  remove(ids: readonly string[]): Promise<void>;
  /**
   * Shows the letters that rest, a page at a time, and removes those that `choose` returns. It reads no letter, only ids and times.
   *
   * @param choose  Gets ledger ids, and when each letter was laid, in unix ms; returns the ids of those to remove.
   * @returns       How many were removed.
   * @throws        QueueUnavailableError; what `choose` throws.
   */
  sweep(choose: (letters: RestingLetter[]) => Promise<string[]>): Promise<number>;
  /** Tells whether Redis has room for dead letters beside the events. @throws QueueUnavailableError */
  hasRoom(): Promise<boolean>;
  /** Looks for letters in the queue of an old shard as well. */
  alsoLookAt(old: Place): void;
  /** Decides which worker compares the queue with the ledger, and when. */
  readonly check: DeadLetterCheck;
  close(): Promise<void>;
}

/** The dead-letter queue of one shard. */
export type ShardDeadLetters = Omit<DeadLetters, 'alsoLookAt'>;

/** Opens the dead-letter queue of one shard for writing; connects at once. */
export function openShardDeadLetters(options: Place): ShardDeadLetters {
  const { redisUrl, ...place } = placeOf(options);
  const { prefix } = place;
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ADD_TIMEOUT_MS });
  const checking = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: CHECK_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const queue = openQueue(DEAD_LETTER_QUEUE, connection, prefix);
  const ask = <T>(message: string, question: () => Promise<T>) => askRedis(connected, message, question);

  async function addOne({ id, event, died }: DeadLetter): Promise<void> {
    await queue.add(JOB_NAME, jobOf([event], died), { ...DEAD_LETTER_JOB_OPTIONS, jobId: deadLetterId(id) });
  }

  return {
    add: (deadLetters) =>
      ask('Redis did not take the dead letters.', async () => void (await Promise.all(deadLetters.map(addOne)))),
    missing: (ids) =>
      ask('Redis does not tell which dead letters it has.', async () => {
        const found = await Promise.all(ids.map((id) => connection.exists(queue.toKey(deadLetterId(id)))));
        return ids.filter((_, i) => found[i] === 0);
      }),
    remove: (ids) =>
      ask('Redis did not remove the dead letters.', async () => {
        await Promise.all(ids.map((id) => queue.remove(deadLetterId(id))));
      }),
    sweep: (choose) =>
      sweepLetters({
        choose,
        read: (start, end) =>
          ask('Redis does not tell which dead letters it has.', () =>
            connection.zrange(queue.toKey('failed'), String(start), String(end), 'WITHSCORES'),
          ),
        remove: (id) => ask('Redis did not remove the dead letters.', () => queue.remove(deadLetterId(id))),
      }),
    hasRoom: () =>
      ask('Redis does not tell how full it is.', async () => {
        const memory = await checkMemory(connection);
        return memory === undefined || memory.usedBytes < memory.maxBytes * ROOM_SHARE;
      }),
    check: createDeadLetterCheck(checking, firstAttempt(checking), prefix),
    async close() {
      await queue.close();
      [connection, checking].forEach(endConnection);
    },
  };
}
