import type { ShardQueues } from '@landline/queue';
import type { FastifyInstance } from 'fastify';
import { BOARD_PATH, type Board } from './board.ts';

/** Answers the board's API with 503 while Redis is away, instead of an error of a library. */
export function requireRedis(app: FastifyInstance, shards: () => readonly ShardQueues[], shown: Board): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.url?.startsWith(`${BOARD_PATH}/api/`) !== true) return;
    try {
      await showThoseThatAnswer(shards(), shown);
    } catch (error) {
      // The board shows `error` as the title of its message.
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({
          code: 'unavailable',
          error: 'Redis does not answer',
          message: `See that it runs, and that REDIS_URL is right; the queues are shown again when it does. ${String(error)}`,
        });
    }
  });
}

/** Bull Board asks all of its queues at once, and shows none where one does not answer. @throws where none answers */
async function showThoseThatAnswer(shards: readonly ShardQueues[], shown: Board): Promise<void> {
  const pings = await Promise.allSettled(shards.map((shard) => shard.ping()));
  const there = shards.filter((_, i) => pings[i]?.status === 'fulfilled');
  const refused = pings.find((ping) => ping.status === 'rejected');
  if (there.length === 0 && refused !== undefined) throw refused.reason;
  shown.show(there);
}
