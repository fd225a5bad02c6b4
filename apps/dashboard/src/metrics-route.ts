import { addQueueJobs, createRegistry } from '@landline/process';
import { countJobs, DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '@landline/queue';
import type { FastifyPluginCallback } from 'fastify';

type CountedQueue = Parameters<typeof countJobs>[0];

/** Makes /metrics in Prometheus text: the metrics of the process, and the number of jobs of each queue by state. */
export function metricsRoute(queues: { events: CountedQueue; deadLetters: CountedQueue }): FastifyPluginCallback {
  const registry = createRegistry();
  addQueueJobs(registry, {
    [WEBHOOK_QUEUE]: () => countJobs(queues.events),
    [DEAD_LETTER_QUEUE]: () => countJobs(queues.deadLetters),
  });
  return (app, _options, done) => {
    app.get('/metrics', async (_request, reply) => {
      reply.header('content-type', registry.contentType);
      return registry.metrics();
    });
    done();
  };
}
