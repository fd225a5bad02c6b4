import { openShardCanaryMark, type CanaryMark } from '../redis/canary-mark.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { oneOrAll } from './one-or-all.ts';

/** Opens the mark that all receivers and workers share, on every shard; connects at once. */
export function createCanaryMark(servers: QueueServers): CanaryMark {
  return oneOrAll(shardPlaces(servers).map(openShardCanaryMark), canaryMarkOfAll);
}

/** Combines the marks of several shards: each is noted on all of them, and the newest that one of them knows counts. */
function canaryMarkOfAll(marks: readonly CanaryMark[]): CanaryMark {
  return {
    note: async (sentAtMs) => void (await Promise.all(marks.map((mark) => mark.note(sentAtMs)))),
    async newest() {
      const known = await Promise.all(marks.map((mark) => mark.newest()));
      const times = known.filter((time) => time !== undefined);
      return times.length > 0 ? Math.max(...times) : undefined;
    },
    clear: async () => void (await Promise.all(marks.map((mark) => mark.clear()))),
    close: () => marks.forEach((mark) => mark.close()),
  };
}
