import type { FastifyInstance } from 'fastify';
import { isInner } from './is-inner.ts';
import type { InitiationMetrics } from './metrics.ts';

/** What health is told from. */
export interface InnerOptions {
  metrics: InitiationMetrics;
  isDatabaseUp: () => boolean;
  /** Whether the process is on its way out. */
  isDraining: () => boolean;
}

/**
 * /health/live, /health/ready and /metrics. It is ready without Postgres and Redis as well: then callers get the defaults. To whoever comes
 * from outside health tells the status alone, and there are no metrics.
 */
export function innerRoutes(app: FastifyInstance, { metrics, isDatabaseUp, isDraining }: InnerOptions): void {
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (request, reply) => {
    const status = isDraining() ? 'draining' : 'ready';
    const details = isInner(request.raw) ? { database: isDatabaseUp() ? 'up' : 'away' } : {};
    return reply.code(isDraining() ? 503 : 200).send({ status, ...details });
  });
  app.get('/metrics', async (request, reply) => {
    if (!isInner(request.raw)) return reply.callNotFound();
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}
