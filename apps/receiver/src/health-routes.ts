import type { Journal } from '@landline/journal';
import type { Intake } from '@landline/intake';
import type { Spool } from '@landline/recordings';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ReceiverMetrics } from './metrics.ts';

/** The sources of the receiver's readiness. */
export interface ReadinessOptions {
  intake: Pick<Intake, 'canTake'>;
  /** Whether the receiver is stopping. */
  isDraining: () => boolean;
}

/** The sources of the routes with details. */
export interface HealthDetails extends ReadinessOptions {
  intake: Pick<Intake, 'status' | 'canTake'>;
  /** Undefined: the receiver has no journal. */
  journal: Pick<Journal, 'status'> | undefined;
  spool: Pick<Spool, 'status'>;
  metrics: ReceiverMetrics;
}

/** Adds /health/live (the process answers) and /health/ready (it can take events now). Neither has details: a stranger can read them. */
export function publicHealthRoutes(app: FastifyInstance, options: ReadinessOptions): void {
  healthRoutes(app, options, () => ({}));
}

/** Adds the same two routes with the states of Redis, the journal and the spool, and /metrics in Prometheus text. They are for the inner port. */
export function detailedHealthRoutes(app: FastifyInstance, options: HealthDetails): void {
  const { intake, journal, spool, metrics } = options;
  // The receiver is ready with one of Redis and the journal; the answer names the states of both, and that of the spool.
  healthRoutes(app, options, () => ({
    redis: intake.status(),
    journal: journal?.status() ?? 'off',
    spool: spool.status(),
  }));
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
