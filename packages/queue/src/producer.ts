import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from '@landline/webhook';
import { watchAvailability, type QueueStatus } from './availability.ts';
import { startCatchUp, type CatchUp } from './catch-up.ts';
import { createProducerConnection, endConnection } from './connection.ts';
import { QueueUnavailableError } from './errors.ts';
import { createGroupCommit, type GroupTurn } from './group-commit.ts';
import type { GroupJournal, JournalEntry } from './group-journal.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from './job-options.ts';
import type { Job } from './job.ts';
import { watchLoss, type LossWatch, type PostgresLoss } from './loss-watch.ts';
import { QUEUE_PREFIX } from './names.ts';
import { oldestJobAt } from './oldest-job.ts';
import { openEventQueue } from './open-queue.ts';

export interface ProducerOptions {
  redisUrl: string;
  prefix?: string;
  /** Most events in one job. */
  batchMaxEvents: number;
  /** Most bytes of bodies in one job; a larger event is a job of its own. */
  batchMaxBytes: number;
  /** No write to Redis is waited for longer than this, in ms. */
  enqueueTimeoutMs: number;
  /** Where every group is kept as well, opened already. It alone is enough while Redis does not take a group. */
  journal?: GroupJournal;
  /** What the check of Redis warns of; told once, and again when it changes. */
  onWarning?: (message: string) => void;
  /** Why Redis is away or refused; told once per outage, never with an event's content. */
  onError?: (error: Error) => void;
  /** Redis takes events again, after `onError` told why it did not; told once per return. */
  onReady?: () => void;
  /** Redis has lost what it took at or after `sinceMs` (unix ms). The journal's part of it is being enqueued again. */
  onLoss?: (sinceMs: number) => void;
  /** Postgres has lost what it had committed. The journal's part of it is being enqueued again. */
  onPostgresLoss?: (loss: PostgresLoss) => void;
  /** Told of every group that Redis took. */
  onGroup?: (group: { events: number; bytes: number }) => void;
}

/** What a producer has done since it was made. */
export interface ProducerStats {
  /** Events that the journal took. */
  journalledEvents: number;
  /** Groups that the journal did not take. */
  journalErrors: number;
  /** Groups that Redis did not take, or not in time. */
  redisErrors: number;
  /** Groups that Redis took. */
  groups: number;
  /** Records of the journal that were enqueued after the fact. */
  reenqueuedRecords: number;
  /** How often Redis was found to have lost what it took. */
  redisLosses: number;
}

/** Puts events on the webhook queue, and into the journal where there is one. */
export interface Producer {
  /**
   * Connects and checks Redis. Resolves also when Redis is away: it is looked for from then on.
   *
   * @param needsFitRedis  Whether a Redis that may evict is a reason not to start; by default it is where there is no journal.
   * @throws               RedisRefusedError; its message says what to set.
   */
  start(options?: { needsFitRedis: boolean }): Promise<void>;
  /**
   * Resolves when the job that carries the event is in Redis and in the journal; in one of them, when the other refuses, is away,
   * or takes longer than `enqueueTimeoutMs`.
   *
   * @throws QueueUnavailableError within milliseconds while none of them takes it. Without a journal, within `enqueueTimeoutMs`
   *   in any case.
   */
  enqueue(event: Delivery): Promise<void>;
  /** Of Redis. */
  status(): QueueStatus;
  /** Whether Redis or the journal takes events now. */
  canTake(): boolean;
  stats(): ProducerStats;
  /** Takes no more, answers every caller, then closes. */
  close(): Promise<void>;
}

/** Makes a producer; it connects at `start`. Events enqueued in one turn of the event loop leave as one job. */
export function createProducer(options: ProducerOptions): Producer {
  const { redisUrl, prefix = QUEUE_PREFIX, enqueueTimeoutMs, journal } = options;
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs });
  const queue = openEventQueue(connection, prefix);
  const counted = { journalledEvents: 0, journalErrors: 0, redisErrors: 0, groups: 0, redisLosses: 0 };
  let closing = false;
  let catchUp: CatchUp | undefined;
  let lossWatch: LossWatch | undefined;

  const groups = createGroupCommit({
    write: journal === undefined ? writeToRedis : (events, turn) => writeToBoth(journal, events, turn),
    hasSpare: journal !== undefined,
    maxEvents: options.batchMaxEvents,
    maxBytes: options.batchMaxBytes,
    timeoutMs: enqueueTimeoutMs,
  });
  const availability = watchAvailability({
    connection,
    probeKey: `${prefix}:probe`,
    onAway: (fault) => groups.drop(fault),
    onWarning: (message) => options.onWarning?.(message),
    onError: (error) => options.onError?.(error),
    onReady: () => {
      void lossWatch?.look().then(() => catchUp?.wake());
      options.onReady?.();
    },
  });
  const isReady = () => availability.status() === 'ready';

  async function writeToRedis(events: Delivery[], { bytes }: Pick<GroupTurn, 'bytes'>): Promise<void> {
    availability.spend(bytes);
    const job: Job = { v: 1, events };
    try {
      await queue.add(JOB_NAME, job, EVENT_JOB_OPTIONS);
    } catch (error) {
      counted.redisErrors += 1;
      throw availability.suspect(error);
    }
    counted.groups += 1;
    options.onGroup?.({ events: events.length, bytes });
  }

  /** Resolves when both have it, or one of them and the other has failed. */
  async function writeToBoth(kept: GroupJournal, events: Delivery[], turn: GroupTurn): Promise<void> {
    const journalling = writeToJournal(kept, events).then((entry) => {
      turn.safe();
      return entry;
    });
    const fault = turn.isSpare ? new QueueUnavailableError('Redis is too slow.') : availability.fault();
    const sending = fault === undefined ? writeToRedis(events, turn).then(turn.safe) : Promise.reject(fault);
    const [sent, journalled] = await Promise.allSettled([sending.finally(turn.sent), journalling]);
    if (journalled.status === 'fulfilled') {
      if (sent.status === 'fulfilled') return journalled.value.enqueued();
      journalled.value.failed();
      return catchUp?.wake();
    }
    if (sent.status === 'rejected') {
      throw new QueueUnavailableError('Neither Redis nor the journal took the event.', { cause: journalled.reason });
    }
  }

  async function writeToJournal(kept: GroupJournal, events: Delivery[]): Promise<JournalEntry> {
    try {
      const entry = await kept.append(events);
      counted.journalledEvents += events.length;
      return entry;
    } catch (error) {
      counted.journalErrors += 1;
      throw error;
    }
  }

  /** What Redis did not take, and what it lost, is enqueued when it is there. */
  async function keepUp(kept: GroupJournal): Promise<void> {
    catchUp = startCatchUp({
      journal: kept,
      add: async (events, bytes) => {
        availability.spend(bytes);
        try {
          await queue.add(JOB_NAME, { v: 1, events }, EVENT_JOB_OPTIONS);
        } catch (error) {
          throw availability.suspect(error);
        }
      },
      // What is enqueued before the first beat would have to be enqueued again.
      isReady: () => isReady() && lossWatch?.hasBegun() === true,
      maxEvents: options.batchMaxEvents,
      maxBytes: options.batchMaxBytes,
    });
    lossWatch = watchLoss({
      connection,
      prefix,
      journal: kept,
      isReady,
      oldestJobAt: () => oldestJobAt(connection, queue),
      onLoss: (sinceMs) => {
        counted.redisLosses += 1;
        catchUp?.wake();
        options.onLoss?.(sinceMs);
      },
      onPostgresLoss: (loss) => {
        catchUp?.wake();
        options.onPostgresLoss?.(loss);
      },
    });
    // A disk that hangs is no reason not to begin.
    await Promise.race([lossWatch.look(), delay(enqueueTimeoutMs, undefined, { ref: false })]);
  }

  const canTake = () => isReady() || journal?.status() === 'ready';

  return {
    async start({ needsFitRedis } = { needsFitRedis: journal === undefined }) {
      await availability.connect({ isRequired: needsFitRedis });
      if (journal !== undefined && !closing) await keepUp(journal);
    },
    async enqueue(event) {
      if (closing) throw new QueueUnavailableError('The producer is closing.');
      const fault = availability.fault();
      if (fault !== undefined && !canTake()) throw fault;
      await groups.add(event);
    },
    status: () => availability.status(),
    canTake,
    stats: () => ({ ...counted, reenqueuedRecords: catchUp?.records() ?? 0 }),
    async close() {
      closing = true;
      await groups.settled();
      await catchUp?.close();
      await lossWatch?.close();
      availability.close();
      await queue.close();
      endConnection(connection);
    },
  };
}
