import type { Journal } from '@landline/journal';
import { canaryAge, type Logger } from '@landline/process';
import { QueueUnavailableError, type CanaryMark, type Producer } from '@landline/queue';
import { fastify, type FastifyInstance } from 'fastify';
import { answer, answerFor, rawAnswer } from './answers.ts';
import { healthRoutes } from './health-routes.ts';
import { ReceptionFullError } from './limit-reception.ts';
import { createMetrics, type ReceiverMetrics } from './metrics.ts';
import { createReadinessWatch } from './readiness-watch.ts';
import { REFUSED, webhookRoute, WEBHOOK_PATH } from './webhook-route.ts';

/** How long a load balancer is waited for to learn that the receiver leaves, in ms. */
const TELLING_LIMIT_MS = 4000;

/** What the receiver is made of. */
export interface AppOptions {
  producer: Pick<Producer, 'enqueue' | 'status' | 'canTake'>;
  /** Undefined: the receiver keeps none. */
  journal?: Pick<Journal, 'status'> | undefined;
  /** Undefined: no canary is sent. */
  canaryMark?: Pick<CanaryMark, 'newest'> | undefined;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** How old a signature may be. */
  toleranceSeconds: number;
  bodyLimitBytes: number;
  /** How long a request may take to arrive in full. */
  requestTimeoutMs: number;
  /** How many bytes of bodies may be under way at once. */
  maxReceivingBytes?: number;
  logger: Logger;
  /** Made here unless given: whoever has more to tell of adds it to their registry. */
  metrics?: ReceiverMetrics;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** The receiver: an HTTP server that does not listen yet, and the way to let it leave. */
export interface ReceiverApp {
  server: FastifyInstance;
  /**
   * Is not ready any more, and serves on until who watches the readiness knows. Then stops listening, answers what is under way and
   * closes every connection after its answer. What has not arrived in full `timeoutMs` after the call is cut off: no time-out acts
   * any more on a server that closes.
   */
  drain(limit: { timeoutMs: number }): Promise<void>;
}

/** Builds the receiver; it never listens by itself. */
export function createApp(options: AppOptions): ReceiverApp {
  const {
    producer,
    journal,
    canaryMark,
    logger,
    requestTimeoutMs,
    metrics = createMetrics(),
    now = Date.now,
  } = options;
  if (canaryMark) canaryAge(metrics.registry, canaryMark, now());
  let draining = false;
  const server: FastifyInstance = fastify({
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    // The time-outs act only when connections are looked at, which Node does every 30 s unless told otherwise.
    http: {
      // Node holds one against the other before Fastify sets it, and its own is 5 min.
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, requestTimeoutMs / 4)),
    },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    // While draining, a request that is already on its connection is answered like any other.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler(error, socket) {
      if (!socket.writable) return;
      const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      if (late) {
        metrics.rejected.inc({ code: 'request_timeout' });
        logger.warn({ code: 'request_timeout' }, REFUSED);
      }
      socket.end(
        late
          ? rawAnswer('request_timeout', 'Request Timeout', 'The request did not arrive within REQUEST_TIMEOUT_MS.')
          : rawAnswer('request_malformed', 'Bad Request', 'The request is not valid HTTP.'),
      );
      // Only ended, it would stay half open for as long as a sender goes on, and nothing looks at it again.
      socket.destroySoon();
    },
  });

  server.decorateReply('answerCode', null);
  // Hooks on the way of every request take a callback: each promise would be a turn of the event loop's queue.
  server.addHook('onSend', (request, reply, payload, done) => {
    const { answerCode } = reply;
    if (draining) reply.header('connection', 'close');
    // Nobody reads an answer on a socket that was ended: a late request has had its 408, and was counted.
    const isRejected = answerCode !== null && answerCode !== 'not_found' && request.raw.socket.writable;
    if (isRejected) metrics.rejected.inc({ code: answerCode });
    done(null, payload);
  });
  server.setErrorHandler((error, _request, reply) => {
    const { code, message } = answerFor(error);
    if (error instanceof ReceptionFullError) logger.warn(error.message);
    else if (code === 'body_too_large') logger.warn({ code }, REFUSED);
    else if (code === 'unavailable' && !(error instanceof QueueUnavailableError)) {
      logger.error({ err: error }, 'The receiver failed');
    }
    return answer(reply, code, message);
  });
  server.setNotFoundHandler((_request, reply) => answer(reply, 'not_found', `Webhooks go to POST ${WEBHOOK_PATH}.`));

  webhookRoute(server, { ...options, metrics, now });
  const watch = createReadinessWatch();
  healthRoutes(server, { producer, journal, metrics, isDraining: () => draining, watch });
  return {
    server,
    async drain({ timeoutMs }) {
      draining = true;
      const begun = performance.now();
      await watch.untilTold({ timeoutMs: Math.min(TELLING_LIMIT_MS, timeoutMs) });
      const leftMs = begun + timeoutMs - performance.now();
      const late = setTimeout(() => server.server.closeAllConnections(), leftMs);
      await server.close();
      clearTimeout(late);
    },
  };
}
