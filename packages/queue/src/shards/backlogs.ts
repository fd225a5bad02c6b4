import { openBacklog, type Backlog } from '../jobs/backlog.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';

/** What waits in each shard's queue. Shards of an earlier `QUEUE_SHARDS` are no part of it. */
export interface Backlogs {
  /** How to look at each shard, by its number; see `BacklogReader`. */
  looks: Readonly<Record<string, () => Promise<Backlog>>>;
  close(): Promise<void>;
}

/** Opens readers of all shards' backlogs, each on a connection of its own; connects at once. */
export function openBacklogs(servers: QueueServers): Backlogs {
  const readers = shardPlaces(servers).map((place) => openBacklog(place));
  return {
    looks: Object.fromEntries(readers.map((reader, shard) => [shard, () => reader.read()])),
    close: async () => void (await Promise.all(readers.map((reader) => reader.close()))),
  };
}
