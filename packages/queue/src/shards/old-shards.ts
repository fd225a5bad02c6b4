import { setTimeout as delay } from 'node:timers/promises';
import { DEAD_LETTER_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from '../names.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { readSlots } from '../servers/find-master.ts';
import { keySlot } from '../servers/key-slot.ts';
import { placeOf } from '../servers/place.ts';
import { describeRedisUrl, readRedisUrl } from '../servers/redis-address.ts';
import {
  MAX_SHARDS,
  serverUrls,
  shardPlaces,
  shardPrefix,
  type NamedPlace,
  type QueueServers,
} from '../servers/shard-places.ts';

/** How often to look for old shards, in ms. A receiver of the old number may write to one for as long as it runs. */
const LOOK_MS = 10_000;

/** How long one server may take to answer, in ms. */
const ANSWER_LIMIT_MS = 2000;

/** The lists and sets in which a job lies that is not done. */
const STATES = ['wait', 'paused', 'active', 'prioritized', 'delayed', 'failed'];

/** A place that holds jobs, and is none of the shards that new jobs go to. */
export interface OldShard extends NamedPlace {
  /** Names it beside the others: `old-3`, or `old` where it was the only one; with its server where there are several. */
  shard: string;
}

/** A search for old shards. */
export interface OldShardWatch {
  /** Resolves when every server was asked once, or did not answer in time. */
  readonly firstLook: Promise<void>;
  stop(): Promise<void>;
}

/** How to look for old shards. */
export interface OldShardOptions {
  servers: QueueServers;
  /** Called once with each old shard. */
  onFound: (old: OldShard) => void;
  lookMs?: number;
}

/**
 * Looks for shards that hold jobs from when `QUEUE_SHARDS` was another: by number, on every server of REDIS_URL. It asks again and again,
 * because a process with the old number may run still.
 */
export function watchOldShards({ servers, onFound, lookMs = LOOK_MS }: OldShardOptions): OldShardWatch {
  const leaving = new AbortController();
  const known = new Set<string>();

  async function look(): Promise<void> {
    for (const old of await findOldShards(servers)) {
      const name = `${old.redisUrl} ${old.prefix}`;
      if (known.has(name) || leaving.signal.aborted) continue;
      known.add(name);
      onFound(old);
    }
  }

  async function lookAgain(): Promise<void> {
    while (!leaving.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- a look every few seconds
      await delay(lookMs, undefined, { signal: leaving.signal, ref: false }).catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop -- a look every few seconds
      if (!leaving.signal.aborted) await look();
    }
  }

  const firstLook = look();
  const looking = firstLook.then(lookAgain);
  return {
    firstLook,
    async stop() {
      leaving.abort();
      await looking;
    },
  };
}

/** Returns the old shards of all servers that answer. Never rejects. */
async function findOldShards(servers: QueueServers): Promise<OldShard[]> {
  const { prefix } = placeOf(servers);
  const urls = serverUrls(servers.redisUrl);
  const current = shardPlaces(servers);
  const found = await Promise.all(
    urls.map(async (redisUrl) => {
      const used = new Set(current.filter((place) => place.redisUrl === redisUrl).map((place) => place.prefix));
      const suffix = urls.length > 1 ? `-${describeRedisUrl(redisUrl)}` : '';
      const candidates = Array.from({ length: MAX_SHARDS + 1 }, (_, i) =>
        i === 0
          ? { ...placeOf(servers), redisUrl, prefix, shard: `old${suffix}` }
          : { ...placeOf(servers), redisUrl, prefix: shardPrefix(prefix, i - 1), shard: `old-${i - 1}${suffix}` },
      ).filter((place) => !used.has(place.prefix));
      const groups = await groupByMaster(candidates).catch(() => []);
      return (await Promise.all(groups.map((group) => thoseWithJobs(group).catch(() => [])))).flat();
    }),
  );
  return found.flat();
}

/** Groups places of one server so that one connection reaches all of a group. */
async function groupByMaster(places: OldShard[]): Promise<OldShard[][]> {
  const [first] = places;
  if (first === undefined) return [];
  const read = readRedisUrl(first.redisUrl);
  const address = 'addresses' in read ? read.addresses[0] : undefined;
  if (address?.kind !== 'cluster') return [places];
  const tls = first.redisCa === undefined ? {} : { ca: first.redisCa };
  const ranges = await readSlots(address, address.isTls ? tls : undefined);
  const masters = new Map<string, OldShard[]>();
  for (const place of places) {
    const slot = keySlot(place.prefix);
    const range = ranges.find((each) => each.first <= slot && slot <= each.last);
    const name = range === undefined ? '' : `${range.master.host}:${range.master.port}`;
    masters.set(name, [...(masters.get(name) ?? []), place]);
  }
  return [...masters.values()];
}

async function thoseWithJobs(places: OldShard[]): Promise<OldShard[]> {
  const [first] = places;
  if (first === undefined) return [];
  const { redisUrl, ...place } = placeOf(first);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_LIMIT_MS });
  try {
    await firstAttempt(connection);
    const counts = await Promise.all(places.map(({ prefix }) => connection.exists(...keysOf(prefix))));
    return places.filter((_, i) => (counts[i] ?? 0) > 0);
  } finally {
    endConnection(connection);
  }
}

function keysOf(prefix: string): string[] {
  return [WEBHOOK_QUEUE, DEAD_LETTER_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE].flatMap((queue) =>
    STATES.map((state) => `${prefix}:${queue}:${state}`),
  );
}
