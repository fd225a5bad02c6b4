import type { Logger } from '@landline/process';
import type { Intake } from '@landline/intake';
import type { Reader } from '@landline/store';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Variables } from './config.ts';
import { limitConnections } from './connection-limit.ts';
import { createDatabaseGate } from './database-gate.ts';
import { INITIATION_PATH, initiationRoute } from './initiation-route.ts';
import { innerRoutes } from './inner-routes.ts';
import { createLookUps } from './look-ups.ts';
import { createMetrics } from './metrics.ts';
import { createStartedEvents } from './started-events.ts';

/** How long body and look-up may take together after the request's headers, in ms. Landline promises ElevenLabs an answer within 300 ms. */
export const ANSWER_LIMIT_MS = 250;

/** How many connections may be open at once. */
const MAX_CONNECTIONS = 1_024;

/** How long a request may take to arrive in full, in ms. The answer does not wait for that. */
const REQUEST_TIMEOUT_MS = 5_000;

/** How long a connection stays open after a 200, in ms: longer than a load balancer keeps it (Google Cloud: 600 s). */
const KEEP_ALIVE_TIMEOUT_MS = 620_000;

/** The largest headers that the initiation reads, in bytes. */
const MAX_HEADER_BYTES = 16_384;

/** How long requests under way may take when the process stops, in ms. */
const DRAIN_LIMIT_MS = 2_000;

/** The app's parts and limits. */
export interface AppOptions {
  reader: Reader;
  intake: Pick<Intake, 'accept'>;
  /** The token that ElevenLabs must send; empty: none is set, and the initiation refuses every request. */
  token: string;
  defaults: Variables;
  logger: Logger;
  /** How long body and look-up may take together, in ms. */
  limitMs?: number;
  /** How many connections may be open at once. */
  maxConnections?: number;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** The HTTP server, which does not listen yet, and the functions that start and stop the app. */
export interface InitiationApp {
  server: FastifyInstance;
  /** Begins to check whether the database answers. */
  start(): void;
  /** Stops: the app is not ready, answers the requests under way, and closes every connection. Resolves once its events are settled. */
  drain(): Promise<void>;
}

/** Builds the app, which does not listen yet. */
export function createApp({ reader, intake, logger, ...options }: AppOptions): InitiationApp {
  let isDraining = false;
  const { token, defaults, limitMs = ANSWER_LIMIT_MS } = options;
  const gate = createDatabaseGate({ reader, logger, limitMs, onClose: () => lookUps.forget() });
  const lookUps = createLookUps({ reader, gate, limitMs });
  const metrics = createMetrics(() => gate.isUp());
  const onResult = (result: 'enqueued' | 'lost') => metrics.events.inc({ result });
  const started = createStartedEvents({ intake, logger, onResult, ...(options.now && { now: options.now }) });
  const server = createServer();
  const connections = limitConnections(server.server, options.maxConnections ?? MAX_CONNECTIONS);
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  server.setNotFoundHandler((_request, reply) => notFound(reply));
  server.setErrorHandler((error, _request, reply) => {
    logger.error({ code: error instanceof Error ? error.name : 'unknown' }, 'A request failed');
    return reply.code(500).send({ code: 'internal_error', message: 'Landline failed. Ask again.' });
  });
  initiationRoute(server, { token, defaults, limitMs, lookUps, started, connections, metrics, logger });
  innerRoutes(server, { metrics, isDatabaseUp: () => gate.isUp(), isDraining: () => isDraining });
  return {
    server,
    start: () => gate.start(),
    async drain() {
      isDraining = true;
      gate.stop();
      const late = setTimeout(() => server.server.closeAllConnections(), DRAIN_LIMIT_MS);
      await server.close();
      clearTimeout(late);
      await started.settled();
    },
  };
}

function createServer(): FastifyInstance {
  return fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      // The time-outs act only when Node checks its connections.
      connectionsCheckingInterval: 500,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // For a path that cannot be decoded.
    frameworkErrors: (_error, _request, reply) => void notFound(reply),
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  reply.header('connection', 'close');
  return reply.code(404).send({ code: 'not_found', message: `Conversation initiation is POST ${INITIATION_PATH}.` });
}
