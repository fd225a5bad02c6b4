import type { FastifyInstance } from 'fastify';
import { isInner } from './is-inner.ts';
import type { InitiationMetrics } from './metrics.ts';

/** The sources of health and metrics. */
export interface InnerOptions {
  metrics: InitiationMetrics;
  isDatabaseUp: () => boolean;
  /** Whether the process is stopping. */
  isDraining: () => boolean;
}

/**
 * Adds /health/live, /health/ready and /metrics. The process is ready without Postgres and Redis as well: then callers get the defaults.
 * A request from outside gets the status alone, and no metrics.
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
