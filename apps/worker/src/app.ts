import { fastify, type FastifyInstance } from 'fastify';
import type { Health } from './health.ts';
import type { WorkerMetrics } from './metrics.ts';

/** The worker's only HTTP: /health/live, /health/ready and /metrics. It never listens by itself. */
export function createApp(health: Health, metrics: WorkerMetrics): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000 });

  app.get('/health/live', async (_request, reply) => {
    const live = await health.isLive();
    return reply.code(live ? 200 : 503).send({ status: live ? 'live' : 'wedged' });
  });

  app.get('/health/ready', async (_request, reply) => {
    const readiness = await health.readiness();
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;
}
