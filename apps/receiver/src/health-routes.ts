import type { Producer } from '@landline/queue';
import type { FastifyInstance } from 'fastify';
import type { ReceiverMetrics } from './metrics.ts';

/** What the routes tell of. */
export interface HealthOptions {
  producer: Pick<Producer, 'status'>;
  metrics: ReceiverMetrics;
  /** Whether the receiver is on its way out. */
  isDraining: () => boolean;
}

/** /health/live: the process answers. /health/ready: it can take events now. /metrics: Prometheus text. */
export function healthRoutes(app: FastifyInstance, { producer, metrics, isDraining }: HealthOptions): void {
  app.get('/health/live', async () => ({ status: 'live' }));

  app.get('/health/ready', async (_request, reply) => {
    const redis = producer.status();
    const ready = redis === 'ready' && !isDraining();
    return reply
      .code(ready ? 200 : 503)
      .send({ status: isDraining() ? 'draining' : ready ? 'ready' : 'unavailable', redis });
  });

  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}
