import { openQueues, type OpenQueues } from '../jobs/queues.ts';
import type { RetryAllOptions } from '../jobs/retry-all.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { watchOldShards } from './old-shards.ts';
import { openShardOverview, overviewOf, type QueueOverview, type ShardOverviewReader } from './overview.ts';

/** The queues of one shard, for Bull Board. */
export interface ShardQueues extends Omit<OpenQueues, 'close'> {
  /** The number of the shard; undefined where there is only one. Of an old one, its name: see `OldShard`. */
  shard?: string | undefined;
}

/** The queues of all shards. */
export interface AllQueues {
  shards(): readonly ShardQueues[];
  /** Looks at what all shards hold, old ones included. Resolves within a second and never rejects; see `QueueOverview.away`. */
  overview(): Promise<QueueOverview>;
  close(): Promise<void>;
}

/** Opens the queues of all shards, old ones that hold jobs included, each on a connection of its own; connects at once. */
export function openAllQueues({ onDone, onError, ...servers }: QueueServers & RetryAllOptions): AllQueues {
  const places = shardPlaces(servers);
  /** For Bull Board, and for the overview. The second opens with the first look: Bull Board alone does not need it. */
  const open = (place: Place, shard: string | undefined) => ({
    queues: {
      ...openQueues({ ...placeOf(place), ...(onDone && { onDone }), ...(onError && { onError }) }),
      shard,
    },
    overview: openAtFirstUse(() => openShardOverview(place, shard ?? '0')),
  });
  const opened = places.map((place, i) => open(place, places.length > 1 ? String(i) : undefined));
  const oldShards = watchOldShards({ servers, onFound: (old) => void opened.push(open(old, old.shard)) });
  return {
    shards: () => opened.map(({ queues }) => queues),
    overview: async () => overviewOf(await Promise.all(opened.map(({ overview }) => overview.read()))),
    async close() {
      await oldShards.stop();
      await Promise.all(opened.flatMap(({ queues, overview }) => [queues.close(), overview.close()]));
    },
  };
}

function openAtFirstUse(open: () => ShardOverviewReader): ShardOverviewReader {
  let reader: ShardOverviewReader | undefined;
  return {
    read: () => (reader ??= open()).read(),
    close: async () => reader?.close(),
  };
}
