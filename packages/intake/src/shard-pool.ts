import {
  openShard,
  shardPlaces,
  describeRedisUrl,
  type QueueServers,
  type QueueStatus,
  type Shard,
} from '@landline/queue';
import { QueueUnavailableError } from '@landline/queue/errors';
import type { GroupCommitOptions } from './group-commit.ts';

type Add = GroupCommitOptions['redis']['add'];

/** A shard of a pool. */
export interface PooledShard {
  readonly shard: Shard;
  /** Since when this process has written to the shard, by `now`; undefined where it has not. */
  writtenSince: number | undefined;
  /** Writes under way. */
  writing: number;
}

/** All shards of the webhook queue. Any of them takes any group. */
export interface ShardPool {
  readonly shards: readonly [PooledShard, ...PooledShard[]];
  /** Connects all shards and checks them. @throws RedisRefusedError, where all `areRequired`, for the first that may evict */
  connect(options: { isRequired: boolean }): Promise<void>;
  /** `ready` where one shard is, else `refused` where one is. */
  status(): QueueStatus;
  /** Returns why no shard takes jobs; undefined where one does. */
  fault(): QueueUnavailableError | undefined;
  /**
   * Resolves when a shard has the job of these events. A shard that does not take the job is away from then on, and the job goes to the
   * next one. Where the first outcome was unknown both may have it, which does no harm: applying is idempotent.
   *
   * @throws QueueUnavailableError when no healthy shard is left
   */
  add: Add;
  close(): Promise<void>;
}

/** How to open a pool. */
export interface ShardPoolOptions extends QueueServers {
  enqueueTimeoutMs: number;
  /** The clock of `writtenSince`. */
  now: () => number;
  /** No shard takes jobs any more: fail what waits. */
  onAway: (fault: QueueUnavailableError) => void;
  onWarning: (message: string) => void;
  /** Why no shard takes jobs. Of one shard among several that do, `onWarning` tells. */
  onError: (error: Error) => void;
  /** Shards take jobs again after `onError`. */
  onReady: () => void;
  /** The shard with this number takes jobs again. */
  onShardReady: (shard: number) => void;
}

/** Opens all shards; they connect at `connect`. */
export function openShardPool(options: ShardPoolOptions): ShardPool {
  const places = shardPlaces(options);
  const reports = createReports(options, places.length);
  const open = (place: (typeof places)[number], i: number): PooledShard => {
    const name = `Redis shard ${i} of ${places.length} (${describeRedisUrl(place.redisUrl)})`;
    const shard = openShard({
      ...place,
      enqueueTimeoutMs: options.enqueueTimeoutMs,
      onAway(fault) {
        if (pool.fault() !== undefined) options.onAway(fault);
      },
      onWarning: (message) => options.onWarning(places.length === 1 ? message : `${name}: ${message}`),
      onError: (error) => reports.fail(i, name, error),
      onReady() {
        options.onShardReady(i);
        reports.return(i, name);
      },
    });
    return { shard, writtenSince: undefined, writing: 0 };
  };
  const [first, ...others] = places;
  const shards: ShardPool['shards'] = [open(first, 0), ...others.map((place, i) => open(place, i + 1))];
  const pool = others.length === 0 ? poolOfOne(shards[0]) : poolOfSeveral(shards, options.now);
  return pool;
}

/** One shard costs a group nothing more than the shard itself. */
function poolOfOne(only: PooledShard): ShardPool {
  const { shard } = only;
  return {
    shards: [only],
    connect: (required) => shard.connect(required),
    status: () => shard.status(),
    fault: () => shard.fault(),
    add: (events, bytes, packed) => shard.add(events, bytes, packed),
    close: () => shard.close(),
  };
}

function poolOfSeveral(shards: ShardPool['shards'], now: () => number): ShardPool {
  const each = shards.map(({ shard }) => shard);
  const turn = { next: 0 };

  const add: Add = async (events, bytes, packed) => {
    const tried = new Set<PooledShard>();
    let fault: unknown;
    for (let chosen = choose(shards, turn, tried); chosen !== undefined; chosen = choose(shards, turn, tried)) {
      tried.add(chosen);
      chosen.writtenSince ??= now();
      chosen.writing += 1;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one shard after the other
        return await chosen.shard.add(events, bytes, packed);
      } catch (error) {
        fault = error;
      } finally {
        chosen.writing -= 1;
      }
    }
    throw fault ?? faultOf(each) ?? new QueueUnavailableError('No shard takes the event.');
  };

  return {
    shards,
    connect: async (required) => void (await Promise.all(each.map((shard) => shard.connect(required)))),
    status() {
      const all = each.map((shard) => shard.status());
      return all.find((status) => status === 'ready') ?? all.find((status) => status === 'refused') ?? 'away';
    },
    fault: () => faultOf(each),
    add,
    close: async () => void (await Promise.all(each.map((shard) => shard.close()))),
  };
}

/** Returns the fault of the first shard where every shard has one. Called for each event, so it makes no list. */
function faultOf(shards: readonly Shard[]): QueueUnavailableError | undefined {
  let first: QueueUnavailableError | undefined;
  for (const shard of shards) {
    const fault = shard.fault();
    if (fault === undefined) return undefined;
    first ??= fault;
  }
  return first;
}

/**
 * Chooses among the healthy shards that were not tried, in turn. One with more writes under way than others is passed over: a master
 * that hangs would else get its share of the groups until its first time-out.
 */
function choose(
  shards: readonly PooledShard[],
  turn: { next: number },
  tried: ReadonlySet<PooledShard>,
): PooledShard | undefined {
  let chosen: PooledShard | undefined;
  let chosenAt = 0;
  for (let i = 0; i < shards.length; i++) {
    const at = (turn.next + i) % shards.length;
    const candidate = shards[at];
    if (candidate === undefined || tried.has(candidate) || candidate.shard.fault() !== undefined) continue;
    if (chosen !== undefined && candidate.writing >= chosen.writing) continue;
    chosen = candidate;
    chosenAt = at;
  }
  turn.next = (chosenAt + 1) % shards.length;
  return chosen;
}

/** Tells of a shard that is away, or that all of them are. */
function createReports({ onWarning, onError, onReady }: ShardPoolOptions, count: number) {
  const away = new Set<number>();
  let allWereAway = false;
  return {
    fail(shard: number, name: string, error: Error): void {
      away.add(shard);
      const isLast = away.size === count;
      if (count === 1) return onError(error);
      if (!isLast) return onWarning(`${name} takes no events, the others take them: ${error.message}`);
      allWereAway = true;
      onError(new Error(`${name}, as the last of them: ${error.message}`, { cause: error }));
    },
    return(shard: number, name: string): void {
      away.delete(shard);
      if (count === 1 || allWereAway) onReady();
      else onWarning(`${name} takes events again`);
      allWereAway = false;
    },
  };
}
