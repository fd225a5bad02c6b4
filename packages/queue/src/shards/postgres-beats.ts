import { randomUUID } from 'node:crypto';
import { openShardPostgresBeats, type PostgresBeats } from '../jobs/postgres-beats.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { fromThoseThatAnswer, oneOrAll } from './one-or-all.ts';

/** Opens what Redis remembers for all workers, on every shard; connects at once. */
export function openPostgresBeats(servers: QueueServers): PostgresBeats {
  return oneOrAll(shardPlaces(servers).map(openShardPostgresBeats), postgresBeatsOfAll);
}

/**
 * Combines the beats of several shards. What is noted is noted on every shard that answers, and the newest note counts: one shard that
 * answers is enough. Where shards see different turns, two workers may leave a beat in one second, which does no harm.
 */
function postgresBeatsOfAll(shards: readonly PostgresBeats[]): PostgresBeats {
  return {
    takeTurn: () => firstAnswer(shards, (beats) => beats.takeTurn()),
    async oldestOpenAt() {
      // Of a shard that does not answer, nobody knows how old its jobs are.
      const times = await Promise.all(shards.map((beats) => beats.oldestOpenAt().catch(() => undefined)));
      const known = times.filter((time) => time !== undefined);
      return known.length === times.length ? Math.min(...known) : undefined;
    },
    async noted(identity) {
      const found = await fromThoseThatAnswer(shards.map((beats) => beats.noted(identity)));
      const numbers = found.flatMap(({ seq }) => seq ?? []);
      if (numbers.length > 0) return { seq: Math.max(...numbers), hasOther: false };
      return { seq: undefined, hasOther: found.some(({ hasOther }) => hasOther) };
    },
    note: async (beat) => void (await fromThoseThatAnswer(shards.map((beats) => beats.note(beat)))),
    notedServer: () => firstAnswer(shards, (beats) => beats.notedServer()),
    async requestRedo(request) {
      const id = request.id ?? randomUUID();
      const left = await fromThoseThatAnswer(shards.map((beats) => beats.requestRedo({ ...request, id })));
      return left.includes(true);
    },
    close: async () => void (await Promise.all(shards.map((beats) => beats.close()))),
  };
}

/** Returns the answer of the first shard that answers. @throws the last error where none does */
async function firstAnswer<T>(shards: readonly PostgresBeats[], ask: (beats: PostgresBeats) => Promise<T>): Promise<T> {
  let fault: unknown;
  for (const beats of shards) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until one answers
      return await ask(beats);
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}
