import { openShardDeadLetters, type DeadLetter, type DeadLetters, type ShardDeadLetters } from '../jobs/dead-letter.ts';
import type { DeadLetterCheck } from '../redis/dead-letter-check.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { oneOrAll } from './one-or-all.ts';

/** Opens the dead-letter queues of all shards for writing; connects at once. */
export function createDeadLetters(servers: QueueServers): DeadLetters {
  const current = oneOrAll(shardPlaces(servers).map(openShardDeadLetters), deadLettersOfAll);
  const old: ShardDeadLetters[] = [];
  return {
    ...current,
    async missing(ids) {
      const all = await Promise.all([current, ...old].map((shard) => shard.missing(ids)));
      return ids.filter((id) => all.every((missing) => missing.includes(id)));
    },
    remove: async (ids) => void (await Promise.all([current, ...old].map((shard) => shard.remove(ids)))),
    sweep: (choose) => sweepAll([current, ...old], choose),
    alsoLookAt: (place) => void old.push(openShardDeadLetters(place)),
    close: async () => void (await Promise.all([current, ...old].map((shard) => shard.close()))),
  };
}

/**
 * Combines the dead-letter queues of several shards. Each shard has one, so a dead master keeps no worker from making dead letters.
 *
 * - `add` writes a letter to the shard that its id names, or to the next that takes it. The same event may have a letter on two shards
 *   then; whichever is retried second finds that the event is applied.
 * - `missing`, `remove`, `sweep` and `hasRoom` need the answers of all shards. Until a shard is back, nobody knows which letters it has.
 */
function deadLettersOfAll(shards: readonly ShardDeadLetters[]): ShardDeadLetters {
  return {
    async add(deadLetters) {
      const adding = shards.flatMap((_, first) => {
        const letters = deadLetters.filter(({ id }) => shardOf(id, shards.length) === first);
        return letters.length > 0 ? [addToOne(shards, first, letters)] : [];
      });
      await Promise.all(adding);
    },
    async missing(ids) {
      const lacking = await Promise.all(shards.map((shard) => shard.missing(ids)));
      return ids.filter((id) => lacking.every((missing) => missing.includes(id)));
    },
    remove: async (ids) => void (await Promise.all(shards.map((shard) => shard.remove(ids)))),
    sweep: (choose) => sweepAll(shards, choose),
    hasRoom: async () => (await Promise.all(shards.map((shard) => shard.hasRoom()))).every(Boolean),
    check: checkOfAll(shards.map(({ check }) => check)),
    close: async () => void (await Promise.all(shards.map((shard) => shard.close()))),
  };
}

async function sweepAll(
  shards: readonly ShardDeadLetters[],
  choose: Parameters<ShardDeadLetters['sweep']>[0],
): Promise<number> {
  const removed = await Promise.all(shards.map((shard) => shard.sweep(choose)));
  return removed.reduce((sum, count) => sum + count, 0);
}

/** Returns the number of a shard for a uuid, the same in each process. */
function shardOf(id: string, shards: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % shards || 0;
}

async function addToOne(shards: readonly ShardDeadLetters[], first: number, letters: DeadLetter[]): Promise<void> {
  let fault: unknown;
  for (const shard of [...shards.slice(first), ...shards.slice(0, first)]) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until one takes them
      return await shard.add(letters);
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}

/** One shard whose letters must be compared is reason to compare those of all. */
function checkOfAll(checks: readonly DeadLetterCheck[]): DeadLetterCheck {
  const all = <T>(ask: (check: DeadLetterCheck) => Promise<T>) => Promise.all(checks.map(ask));
  return {
    claim: async () => (await all((check) => check.claim())).includes(true),
    extend: async () => (await all((check) => check.extend())).every(Boolean),
    finish: async () => void (await all((check) => check.finish())),
    fail: async () => void (await all((check) => check.fail())),
  };
}
