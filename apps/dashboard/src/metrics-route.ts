import { addQueueJobs, createRegistry } from '@landline/process';
import { countJobs, DEAD_LETTER_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from '@landline/queue';
import type { FastifyPluginCallback } from 'fastify';

type CountedQueue = Parameters<typeof countJobs>[0];

/** The queues of a shard. */
interface CountedQueues {
  shard?: string | undefined;
  events: CountedQueue;
  deadLetters: CountedQueue;
  rejected: CountedQueue;
  requests: CountedQueue;
}

/** Makes /metrics in Prometheus text: the metrics of the process, and the number of jobs of each queue by state. */
export function metricsRoute(shards: () => readonly CountedQueues[]): FastifyPluginCallback {
  const registry = createRegistry();
  addQueueJobs(registry, () =>
    shards().map(({ shard, events, deadLetters, rejected, requests }) => ({
      shard,
      counts: {
        [WEBHOOK_QUEUE]: () => countJobs(events),
        [DEAD_LETTER_QUEUE]: () => countJobs(deadLetters),
        [REJECTED_QUEUE]: () => countJobs(rejected),
        [REQUESTS_QUEUE]: () => countJobs(requests),
      },
    })),
  );
  return (app, _options, done) => {
    app.get('/metrics', async (_request, reply) => {
      reply.header('content-type', registry.contentType);
      return registry.metrics();
    });
    done();
  };
}
