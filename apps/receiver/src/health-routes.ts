import type { Journal } from '@landline/journal';
import type { Intake } from '@landline/intake';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ReceiverMetrics } from './metrics.ts';

/** What tells whether the receiver is ready. */
export interface ReadinessOptions {
  intake: Pick<Intake, 'canTake'>;
  /** Whether the receiver is on its way out. */
  isDraining: () => boolean;
}

/** What the routes with details tell of. */
export interface HealthDetails extends ReadinessOptions {
  intake: Pick<Intake, 'status' | 'canTake'>;
  /** Undefined: there is none. */
  journal: Pick<Journal, 'status'> | undefined;
  metrics: ReceiverMetrics;
}

/** /health/live: the process answers. /health/ready: it can take events now. Neither tells a stranger more. */
export function publicHealthRoutes(app: FastifyInstance, options: ReadinessOptions): void {
  healthRoutes(app, options, () => ({}));
}

/** The same two with the states of Redis and the journal, and /metrics: Prometheus text. For a port of its own. */
export function detailedHealthRoutes(app: FastifyInstance, options: HealthDetails): void {
  const { intake, journal, metrics } = options;
  // Redis or the journal is enough; which of them is not well is told in any case.
  healthRoutes(app, options, () => ({ redis: intake.status(), journal: journal?.status() ?? 'off' }));
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}

function healthRoutes(app: FastifyInstance, options: ReadinessOptions, details: () => object): void {
  const { intake, isDraining } = options;
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply): Promise<FastifyReply> => {
    const status = isDraining() ? 'draining' : intake.canTake() ? 'ready' : 'unavailable';
    return reply.code(status === 'ready' ? 200 : 503).send({ status, ...details() });
  });
}
