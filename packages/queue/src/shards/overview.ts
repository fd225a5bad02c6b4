import { backlogLook, type Backlog } from '../jobs/backlog.ts';
import { countJobs, type QueueCounts } from '../jobs/count-jobs.ts';
import { openEventQueue, openQueue } from '../jobs/open-queue.ts';
import { DEAD_LETTER_QUEUE, REJECTED_QUEUE } from '../names.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';

/** How long Redis may take to answer, in ms: a person looks. */
const ANSWER_TIMEOUT_MS = 500;

/** What a shard holds. */
export interface ShardOverview {
  /** The number of the shard, `0` where there is only one. Of an old one, its name: see `OldShard`. */
  shard: string;
  /** What waits in the webhook queue; undefined where the shard does not answer. */
  backlog: Backlog | undefined;
  /** Jobs of the webhook queue. */
  events: QueueCounts | undefined;
  /** Dead letters that rest. */
  deadLetters: number | undefined;
  /** Refused requests that wait for their diagnosis. */
  rejected: number | undefined;
}

/** What all shards hold. */
export interface QueueOverview {
  shards: ShardOverview[];
  /** The names of those that do not answer; the sums are without them. */
  away: string[];
  /** Sums over the shards; `oldestSeconds` and `seconds` are those of the shard where they are greatest. */
  backlog: Backlog;
  events: QueueCounts;
  deadLetters: number;
  rejected: number;
}

/** Reads what a shard holds. */
export interface ShardOverviewReader {
  /** Returns within a second; never rejects. */
  read(): Promise<ShardOverview>;
  close(): Promise<void>;
}

/** Opens a reader of one shard, on a connection of its own; connects at once. */
export function openShardOverview(options: Place, shard: string): ShardOverviewReader {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const events = openEventQueue(connection, place.prefix);
  const deadLetters = openQueue(DEAD_LETTER_QUEUE, connection, place.prefix);
  const rejected = openQueue(REJECTED_QUEUE, connection, place.prefix);
  const lookAtBacklog = backlogLook(connection, events);

  async function look(): Promise<ShardOverview> {
    const [backlog, ofEvents, ofLetters, ofRejected] = await Promise.all([
      lookAtBacklog(),
      countJobs(events),
      countJobs(deadLetters),
      countJobs(rejected),
    ]);
    const { waiting, active, delayed } = ofRejected;
    return {
      shard,
      backlog,
      events: ofEvents,
      deadLetters: ofLetters.failed,
      rejected: waiting + active + delayed,
    };
  }

  return {
    async read() {
      await connected;
      const nothing = { backlog: undefined, events: undefined, deadLetters: undefined, rejected: undefined };
      return look().catch(() => ({ shard, ...nothing }));
    },
    async close() {
      await Promise.all([events, deadLetters, rejected].map((queue) => queue.close()));
      endConnection(connection);
    },
  };
}

/** Sums what shards hold. */
export function overviewOf(shards: ShardOverview[]): QueueOverview {
  const overview: QueueOverview = {
    shards,
    away: shards.filter(({ backlog }) => backlog === undefined).map(({ shard }) => shard),
    backlog: { jobs: 0, events: 0, oldestSeconds: 0, seconds: 0 },
    events: { waiting: 0, active: 0, delayed: 0, failed: 0 },
    deadLetters: 0,
    rejected: 0,
  };
  for (const { backlog, events, deadLetters = 0, rejected = 0 } of shards) {
    if (backlog !== undefined) overview.backlog = sumOfBacklogs(overview.backlog, backlog);
    if (events !== undefined) overview.events = sumOfCounts(overview.events, events);
    overview.deadLetters += deadLetters;
    overview.rejected += rejected;
  }
  return overview;
}

function sumOfBacklogs(a: Backlog, b: Backlog): Backlog {
  return {
    jobs: a.jobs + b.jobs,
    events: a.events + b.events,
    oldestSeconds: Math.max(a.oldestSeconds, b.oldestSeconds),
    seconds: Math.max(a.seconds, b.seconds),
  };
}

function sumOfCounts(a: QueueCounts, b: QueueCounts): QueueCounts {
  return {
    waiting: a.waiting + b.waiting,
    active: a.active + b.active,
    delayed: a.delayed + b.delayed,
    failed: a.failed + b.failed,
  };
}
