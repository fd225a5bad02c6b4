import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QueueUnavailableError } from '../errors.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { cleanError } from '../redis/clean-error.ts';
import { endConnection } from '../redis/connection.ts';
import { createSlowConnection, untilReady } from '../redis/slow-connection.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { watchOldShards } from '../shards/old-shards.ts';

/** What is done with a queue, and what ends it. */
export interface QueueVisit {
  visit: (connection: Redis, queue: Queue<unknown>) => Promise<void>;
  signal: AbortSignal;
}

/** Carries what whoever decides has thrown: that is no fault of Redis. */
class DecisionError extends Error {}

/** Throws a fault of whoever decides, so that nobody takes it for one of Redis. */
export function notOfRedis(cause: unknown): never {
  throw new DecisionError('Nobody can decide.', { cause });
}

/**
 * Visits queues on every shard and every old one, one after the other, and empties their streams of events: these tell who failed and why, and nobody reads them.
 *
 * @throws  QueueUnavailableError; the signal's reason; what `notOfRedis` was given.
 */
export async function onEachShard(servers: QueueServers, names: readonly string[], visit: QueueVisit): Promise<void> {
  for (const place of [...shardPlaces(servers), ...(await oldShards(servers))]) {
    // oxlint-disable-next-line no-await-in-loop -- one shard after the other
    await onShard(place, names, visit);
  }
}

async function oldShards(servers: QueueServers): Promise<Place[]> {
  const found: Place[] = [];
  const watch = watchOldShards({ servers, onFound: (old) => void found.push(old) });
  await watch.firstLook;
  await watch.stop();
  return found;
}

async function onShard(options: Place, names: readonly string[], { visit, signal }: QueueVisit): Promise<void> {
  const place = placeOf(options);
  const connection = createSlowConnection(place);
  const queues = names.map((name) => openQueue(name, connection, place.prefix));
  try {
    if (!(await untilReady(connection))) throw new QueueUnavailableError('Redis cannot be reached.');
    for (const queue of queues) {
      // oxlint-disable no-await-in-loop -- one queue after the other
      await visit(connection, queue);
      await connection.xtrim(queue.toKey('events'), 'MAXLEN', 0);
      // oxlint-enable no-await-in-loop
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DecisionError) throw error.cause;
    if (error instanceof QueueUnavailableError) throw error;
    throw new QueueUnavailableError('Redis does not answer.', { cause: cleanError(error) });
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
    endConnection(connection);
  }
}
