import { fastify, type FastifyInstance } from 'fastify';
import type { MonitorMetrics } from './metrics.ts';

/** The sources of health and metrics. */
export interface AppOptions {
  metrics: Pick<MonitorMetrics, 'registry'>;
  /** Whether the provider answered the last time (`away` before its first answer), and the receiver took the last event (`up` before the first). */
  health: () => { provider: 'up' | 'away'; receiver: 'up' | 'away' };
  /** Whether the process is stopping. */
  isDraining: () => boolean;
}

/**
 * Builds the monitor's only HTTP: /health/live, /health/ready and /metrics. It never listens by itself. The process is ready without the provider and
 * the receiver as well: it waits for them, and to start it again would mend nothing.
 */
export function createApp({ metrics, health, isDraining }: AppOptions): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000 });
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    const status = isDraining() ? 'draining' : 'ready';
    return reply.code(isDraining() ? 503 : 200).send({ status, ...health() });
  });
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;
}
