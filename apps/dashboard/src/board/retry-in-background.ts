import type { ShardQueues } from '@landline/queue';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { BOARD_PATH, boardName } from './board.ts';

/** Bull Board's own route for "Retry all". */
const RETRY_ALL = `${BOARD_PATH}/api/queues/:queueName/retry/:queueStatus`;

const parametersSchema = z.object({ queueName: z.string(), queueStatus: z.enum(['failed', 'completed']) });

/**
 * Answers Bull Board's "Retry all" at once, and retries the jobs in the background.
 *
 * The board's own handler retries within the request: that takes 15 s for 30,000 jobs, and stops half-way at a fault of Redis.
 * For another queue or state the hook does nothing, and the board refuses the request itself.
 */
export function retryInBackground(
  app: FastifyInstance,
  shards: () => readonly Pick<ShardQueues, 'shard' | 'events' | 'deadLetters' | 'retryAll'>[],
): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'PUT' || request.routeOptions.url !== RETRY_ALL) return;
    const read = parametersSchema.safeParse(request.params);
    const all = shards().flatMap(({ shard, events, deadLetters, retryAll }) =>
      [events, deadLetters].map((queue) => ({ name: boardName(queue, shard), queue, retryAll })),
    );
    const named = all.find(({ name }) => name === read.data?.queueName);
    if (read.data === undefined || named === undefined) return;
    const retried = await named.retryAll(named.queue, read.data.queueStatus);
    return reply.send({ retried, skipped: 0 });
  });
}
