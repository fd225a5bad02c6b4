import type { Journal } from '@landline/journal';
import { QueueUnavailableError, type QueueServers, type QueueStatus } from '@landline/queue';
import type { Delivery } from '@landline/webhook';
import { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { startKeepingUp, type KeepUp } from './keep-up.ts';
import type { PostgresLoss } from './loss-watch-state.ts';
import { openShardPool, type ShardPool } from './shard-pool.ts';

/** How to make an intake. */
export interface IntakeOptions extends QueueServers {
  /** Most events in one job. */
  batchMaxEvents: number;
  /** Most bytes of bodies in one job; a larger event is a job by itself. */
  batchMaxBytes: number;
  /**
   * With a journal no sender waits for Redis longer than this, in ms. Without one, the sender of a body above a MiB waits up to a second
   * longer for each MiB; and with several shards each sender waits up to twice as long, for a second shard after one that hangs.
   */
  enqueueTimeoutMs: number;
  /** Keeps every group beside Redis; it alone is enough while Redis takes no group. The caller opens and closes it. */
  journal?: Journal;
  /**
   * Called with what the check of Redis warns of, and with why Redis does not take a group of the journal; once for each warning, and
   * again when it changes.
   */
  onWarning?: (message: string) => void;
  /** Called with why Redis is away or refused; once per outage, never with an event's content. */
  onError?: (error: Error) => void;
  /** Called when Redis takes events again, after `onError` reported why it did not; once per return. */
  onReady?: () => void;
  /** Redis has lost what it took at or after `sinceMs` (unix ms). The intake enqueues the journal's part of it again. */
  onLoss?: (sinceMs: number) => void;
  /** Postgres has lost what it had committed. The intake enqueues the journal's part of it again. */
  onPostgresLoss?: (loss: PostgresLoss) => void;
  /** Called for every group that Redis took. */
  onGroup?: (group: { events: number; bytes: number }) => void;
}

/** What an intake has done since it was made. */
export interface IntakeStats {
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

/** Makes verified deliveries durable: in Redis, and in the journal where there is one. */
export interface Intake {
  /**
   * Connects and checks Redis. Resolves also when Redis is away, and goes on connecting.
   *
   * @param needsFitRedis  Whether a Redis that may evict is a reason not to start; by default only where there is no journal.
   * @throws               RedisRefusedError; its message says what to set.
   */
  start(options?: { needsFitRedis: boolean }): Promise<void>;
  /**
   * Resolves when the job that carries the delivery is in Redis and in the journal. One place is enough when the other refuses, is
   * away, or takes longer than `enqueueTimeoutMs`.
   *
   * @throws QueueUnavailableError within milliseconds while none of them takes it. Without a journal, within `enqueueTimeoutMs`
   *   in any case, and a second more for each MiB of a body above a MiB.
   */
  accept(delivery: Delivery): Promise<void>;
  /** Returns the status of Redis. */
  status(): QueueStatus;
  /** Returns how many shards take no groups. */
  shardsAway(): number;
  /** Tells whether Redis or the journal takes deliveries now. */
  canTake(): boolean;
  stats(): IntakeStats;
  /** Takes no more, answers every caller, then closes. */
  close(): Promise<void>;
}

type Counts = Omit<IntakeStats, 'reenqueuedRecords'>;

interface Parts {
  readonly pool: ShardPool;
  readonly groups: GroupCommit;
  readonly counts: Counts;
  /** Undefined before `start`, and where there is no journal. */
  keepUp: KeepUp | undefined;
  isClosing: boolean;
}

/** Makes an intake; it connects at `start`. Deliveries accepted in one turn of the event loop leave as one job. */
export function createIntake(options: IntakeOptions): Intake {
  const { journal } = options;
  const parts = openParts(options);
  const { pool, groups, counts } = parts;
  const canTake = () => pool.status() === 'ready' || journal?.status() === 'ready';
  return {
    async start({ needsFitRedis } = { needsFitRedis: journal === undefined }) {
      await pool.connect({ isRequired: needsFitRedis });
      if (journal === undefined || parts.isClosing) return;
      parts.keepUp = startKeepingUp({ shards: pool.shards, journal, ...keptUp(options, counts) });
      await parts.keepUp.firstCheck();
    },
    // All deliveries of a group wait for one promise.
    accept(delivery) {
      if (parts.isClosing) return Promise.reject(new QueueUnavailableError('The intake is closing.'));
      const fault = pool.fault();
      return fault !== undefined && !canTake() ? Promise.reject(fault) : groups.add(delivery);
    },
    status: () => pool.status(),
    shardsAway: () => pool.shards.filter(({ shard }) => shard.fault() !== undefined).length,
    canTake,
    stats: () => ({ ...counts, reenqueuedRecords: parts.keepUp?.records() ?? 0 }),
    async close() {
      parts.isClosing = true;
      await groups.settled();
      await parts.keepUp?.close();
      await pool.close();
    },
  };
}

function openParts(options: IntakeOptions): Parts {
  const { journal } = options;
  const counts: Counts = { journalledEvents: 0, journalErrors: 0, redisErrors: 0, groups: 0, redisLosses: 0 };
  const pool = openShardPool({
    ...options,
    now: () => journal?.now() ?? Date.now(),
    onAway: (fault) => groups.drop(fault),
    onWarning: (message) => options.onWarning?.(message),
    onError: (error) => options.onError?.(error),
    onReady: () => options.onReady?.(),
    onShardReady: (shard) => parts.keepUp?.redisIsBack(shard),
  });
  const shards = pool.shards.length;
  const groups = createGroupCommit({
    redis: { fault: () => pool.fault(), add: countGroups(pool, counts, options) },
    journal: journal && { append: countJournalled(journal, counts) },
    onJournalAlone: () => parts.keepUp?.wake(),
    maxEvents: options.batchMaxEvents,
    maxBytes: options.batchMaxBytes,
    largeBytes: pool.shards[0].shard.largeJobBytes,
    shards,
    timeoutMs: options.enqueueTimeoutMs * (shards > 1 && journal === undefined ? 2 : 1),
  });
  const parts: Parts = { pool, groups, counts, keepUp: undefined, isClosing: false };
  return parts;
}

function countGroups(redis: GroupCommitOptions['redis'], counts: Counts, { onGroup, onError }: IntakeOptions) {
  return async (...[events, bytes, packed]: Parameters<GroupCommitOptions['redis']['add']>): Promise<void> => {
    try {
      await redis.add(events, bytes, packed);
    } catch (error) {
      counts.redisErrors += 1;
      throw error;
    }
    counts.groups += 1;
    try {
      onGroup?.({ events: events.length, bytes });
    } catch (error) {
      // Redis has the group: what only counts it must not call it refused.
      onError?.(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function countJournalled(journal: Pick<Journal, 'append'>, counts: Counts): Journal['append'] {
  return async (events, packed) => {
    try {
      const entry = await journal.append(events, packed);
      counts.journalledEvents += events.length;
      return entry;
    } catch (error) {
      counts.journalErrors += 1;
      throw error;
    }
  };
}

function keptUp(options: IntakeOptions, counts: Counts) {
  return {
    maxEvents: options.batchMaxEvents,
    maxBytes: options.batchMaxBytes,
    timeoutMs: options.enqueueTimeoutMs,
    onWarning: (message: string) => options.onWarning?.(message),
    onLoss(sinceMs: number) {
      counts.redisLosses += 1;
      options.onLoss?.(sinceMs);
    },
    onPostgresLoss: (loss: PostgresLoss) => options.onPostgresLoss?.(loss),
  };
}
