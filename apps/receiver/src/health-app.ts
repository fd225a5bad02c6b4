import { fastify, type FastifyInstance } from 'fastify';
import { detailedHealthRoutes, type HealthDetails } from './health-routes.ts';

/** How long a request may take to arrive, in ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Builds the receiver's second HTTP server, for the inner network alone: health with details, and metrics. It does not listen yet. */
export function createHealthApp(options: HealthDetails): FastifyInstance {
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    forceCloseConnections: true,
  });
  detailedHealthRoutes(app, options);
  return app;
}
