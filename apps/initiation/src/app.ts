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

/** How long body and look-up may take together, from the request's headers on, in ms. ElevenLabs is promised an answer within 300. */
export const ANSWER_LIMIT_MS = 250;

/** Connections at once. */
const MAX_CONNECTIONS = 1_024;

/** How long a request may take to arrive in full, in ms. The answer does not wait for it. */
const REQUEST_TIMEOUT_MS = 5_000;

/** How long a connection is kept after a 200, in ms: longer than a load balancer keeps it (Google Cloud: 600 s). */
const KEEP_ALIVE_TIMEOUT_MS = 620_000;

/** The largest headers that are read, in bytes. */
const MAX_HEADER_BYTES = 16_384;

/** How long requests under way have to be answered when the process leaves, in ms. */
const DRAIN_LIMIT_MS = 2_000;

/** What the app is made of. */
export interface AppOptions {
  reader: Reader;
  intake: Pick<Intake, 'accept'>;
  /** What ElevenLabs must send; empty: none is set, and every request is refused. */
  token: string;
  defaults: Variables;
  logger: Logger;
  /** How long body and look-up may take together, in ms. */
  limitMs?: number;
  /** Connections at once. */
  maxConnections?: number;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** The HTTP server that does not listen yet, and the way to let it leave. */
export interface InitiationApp {
  server: FastifyInstance;
  /** Begins to ask the database whether it answers. */
  start(): void;
  /** Is not ready from now on, answers what is under way, and closes every connection. Resolves when its events are settled as well. */
  drain(): Promise<void>;
}

/** Builds the app; it never listens by itself. */
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
      // The time-outs act only when connections are looked at.
      connectionsCheckingInterval: 500,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A path that cannot be decoded.
    frameworkErrors: (_error, _request, reply) => void notFound(reply),
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  reply.header('connection', 'close');
  return reply.code(404).send({ code: 'not_found', message: `Conversation initiation is POST ${INITIATION_PATH}.` });
}
