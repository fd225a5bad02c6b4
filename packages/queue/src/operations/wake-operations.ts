import { QueueUnavailableError } from '../errors.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { OPERATIONS_QUEUE } from '../names.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { OPERATIONS_TASK, wakeTask } from './task.ts';

/** How long Redis may take, in ms. A worker looks by itself every few seconds. */
const LIMIT_MS = 1000;

/** Wakes a worker to run what is due now, by the first shard that answers. @throws QueueUnavailableError where none does */
export async function wakeOperations(servers: QueueServers): Promise<void> {
  for (const shard of shardPlaces(servers)) {
    const { redisUrl, ...place } = placeOf(shard);
    const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: LIMIT_MS });
    const queue = openQueue(OPERATIONS_QUEUE, connection, place.prefix);
    try {
      // oxlint-disable-next-line no-await-in-loop -- one shard after the other
      await firstAttempt(connection);
      // oxlint-disable-next-line no-await-in-loop -- one shard after the other
      return await wakeTask(queue, OPERATIONS_TASK);
    } catch {
      // The next shard may answer.
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- one shard after the other
      await queue.close();
      endConnection(connection);
    }
  }
  throw new QueueUnavailableError('Redis does not answer.');
}
