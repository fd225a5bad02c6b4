import type { Journal } from '@landline/journal';
import type { Producer } from '@landline/queue';
import type { FastifyInstance } from 'fastify';
import type { ReceiverMetrics } from './metrics.ts';
import type { ReadinessWatch } from './readiness-watch.ts';

/** What the routes tell of. */
export interface HealthOptions {
  producer: Pick<Producer, 'status' | 'canTake'>;
  /** Undefined: there is none. */
  journal: Pick<Journal, 'status'> | undefined;
  metrics: ReceiverMetrics;
  /** Whether the receiver is on its way out. */
  isDraining: () => boolean;
  watch: ReadinessWatch;
}

/** /health/live: the process answers. /health/ready: it can take events now. /metrics: Prometheus text. */
export function healthRoutes(app: FastifyInstance, options: HealthOptions): void {
  const { producer, journal, metrics, isDraining, watch } = options;
  app.get('/health/live', async () => ({ status: 'live' }));

  app.get('/health/ready', async (_request, reply) => {
    const canTake = producer.canTake();
    watch.asked({ isDraining: isDraining() });
    const status = isDraining() ? 'draining' : canTake ? 'ready' : 'unavailable';
    // Redis or the journal is enough; which of them is not well is told in any case.
    return reply
      .code(status === 'ready' ? 200 : 503)
      .send({ status, redis: producer.status(), journal: journal?.status() ?? 'off' });
  });

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}
