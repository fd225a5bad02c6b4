import { openQueues, type OpenQueues } from '../jobs/queues.ts';
import type { RetryAllOptions } from '../jobs/retry-all.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { watchOldShards } from './old-shards.ts';

/** The queues of one shard, for Bull Board. */
export interface ShardQueues extends Omit<OpenQueues, 'close'> {
  /** The number of the shard; undefined where there is only one. Of an old one, its name: see `OldShard`. */
  shard?: string | undefined;
}

/** The queues of all shards. */
export interface AllQueues {
  shards(): readonly ShardQueues[];
  close(): Promise<void>;
}

/** Opens the queues of all shards, old ones that hold jobs included, each on a connection of its own; connects at once. */
export function openAllQueues({ onDone, onError, ...servers }: QueueServers & RetryAllOptions): AllQueues {
  const places = shardPlaces(servers);
  const open = (place: Place, shard: string | undefined) => ({
    ...openQueues({ ...placeOf(place), ...(onDone && { onDone }), ...(onError && { onError }) }),
    shard,
  });
  const opened = places.map((place, i) => open(place, places.length > 1 ? String(i) : undefined));
  const oldShards = watchOldShards({ servers, onFound: (old) => void opened.push(open(old, old.shard)) });
  return {
    shards: () => opened,
    async close() {
      await oldShards.stop();
      await Promise.all(opened.map((queues) => queues.close()));
    },
  };
}
