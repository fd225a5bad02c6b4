import { addCanaryAge, type Logger } from '@landline/process';
import type { Intake } from '@landline/intake';
import { QueueUnavailableError, type CanaryMark } from '@landline/queue';
import { WEBHOOK_PATH } from '@landline/webhook';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, answerFor } from './answers.ts';
import { clientErrorHandler } from './client-errors.ts';
import { createConnections, type Connections, type DroppedState } from './connections.ts';
import { publicHealthRoutes } from './health-routes.ts';
import { createMetrics, measureReception, type ReceiverMetrics } from './metrics.ts';
import { createReception, type Reception } from './reception.ts';
import { ReceptionError } from './reception-error.ts';
import { createRefusalLog, type RefusalLog } from './refusal-log.ts';
import { webhookRoute } from './webhook-route.ts';

/** A refused request whose body is larger than this, in bytes, costs its connection: the rest of it is not waited for. */
const READ_ON_BYTES = 65_536;

/** How often the log says that connections are dropped, in ms. */
const DROP_WARNING_MS = 60_000;

/** What the receiver is made of. */
export interface AppOptions {
  intake: Pick<Intake, 'accept' | 'canTake'>;
  /** Undefined: no canary is sent. */
  canaryMark?: Pick<CanaryMark, 'newest'> | undefined;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** How old a signature may be. */
  toleranceSeconds: number;
  bodyLimitBytes: number;
  /** How long a request may take to arrive in full. */
  requestTimeoutMs: number;
  /** How long a connection is kept open after an answer. */
  keepAliveTimeoutMs: number;
  /** How many connections may be open at once. */
  maxConnections: number;
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
  /** Whether it is on its way out. */
  isDraining(): boolean;
  /**
   * Is not ready from now on, and serves for `waitMs` more: so long a load balancer has to notice. Then stops listening, answers what is
   * under way and closes every connection after its answer. What has not arrived in full `timeoutMs` after that is cut off: no time-out
   * acts any more on a server that closes.
   */
  drain(limits: { waitMs: number; timeoutMs: number }): Promise<void>;
}

/** Builds the receiver; it never listens by itself. */
export function createApp(options: AppOptions): ReceiverApp {
  const { intake, canaryMark, logger, metrics = createMetrics(), now = Date.now } = options;
  if (canaryMark) addCanaryAge(metrics.registry, canaryMark, { sentFrom: now() });
  const refusals = createRefusalLog(logger);
  let draining = false;
  const isDraining = () => draining;
  const server = createServer(options, { refusals, metrics });
  const connections = createConnections(server.server, {
    maxConnections: options.maxConnections,
    unreadLimitMs: options.requestTimeoutMs,
    onDrop: dropTold(options, metrics),
  });
  const reception = createReception({
    connections,
    maxBytes: options.maxReceivingBytes,
    bodyLimitBytes: options.bodyLimitBytes,
  });
  measureReception(metrics, { connections: () => connections.count(), receivingBytes: () => reception.bytes() });
  addHooks(server, { connections, reception, metrics, isDraining });
  server.setErrorHandler(errorHandler(refusals, logger));
  server.setNotFoundHandler((_request, reply) => notFound(reply));
  webhookRoute(server, { ...options, reception, refusals, metrics, now });
  publicHealthRoutes(server, { intake, isDraining });
  return {
    server,
    isDraining,
    async drain({ waitMs, timeoutMs }) {
      draining = true;
      if (server.server.listening) await delay(waitMs);
      const late = setTimeout(() => server.server.closeAllConnections(), timeoutMs);
      await server.close();
      clearTimeout(late);
      refusals.close();
    },
  };
}

function createServer(
  { bodyLimitBytes, requestTimeoutMs, keepAliveTimeoutMs }: AppOptions,
  { refusals, metrics }: { refusals: RefusalLog; metrics: ReceiverMetrics },
): FastifyInstance {
  return fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
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
    clientErrorHandler: clientErrorHandler(refusals, metrics),
    // A path that cannot be decoded: no hook and no route comes to see it.
    frameworkErrors: (error, _request, reply) => {
      const { code, message } = answerFor(error);
      void answer(reply, code, message);
    },
  });
}

interface HookOptions {
  connections: Connections;
  reception: Reception;
  metrics: ReceiverMetrics;
  isDraining: () => boolean;
}

/** Hooks on the way of every request take a callback: each promise would be a turn of the event loop's queue. */
function addHooks(server: FastifyInstance, { connections, reception, metrics, isDraining }: HookOptions): void {
  server.decorateReply('answerCode', null);
  server.decorateRequest('arrival', null);
  server.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    // An answer has its socket as soon as no earlier one is owed.
    if (reply.raw.socket === null) connections.queued(connections.of(socket), reply.raw);
    if (socket.destroyed) return;
    if (request.is404) return void notFound(reply);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const { answerCode } = reply;
    if (isDraining() || (answerCode !== null && !isReadOn(request))) reply.header('connection', 'close');
    // Nobody reads an answer on a socket that was ended: a late request has had its 408, and was counted.
    const isRejected = answerCode !== null && answerCode !== 'not_found' && request.raw.socket.writable;
    if (isRejected) metrics.rejected.inc({ code: answerCode });
    reception.answered(request, { isAccepted: answerCode === null });
    done(null, payload);
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return answer(reply, 'not_found', `Webhooks go to POST ${WEBHOOK_PATH}.`);
}

/** Whether the rest of a refused request is small enough to be read, so that its connection can go on. */
function isReadOn({ raw, headers }: FastifyRequest): boolean {
  return (
    raw.complete || (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > READ_ON_BYTES))
  );
}

function errorHandler(refusals: RefusalLog, logger: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { code, message } = answerFor(error);
    if (error instanceof ReceptionError || code !== 'unavailable') {
      // Whoever hung up gets no answer, and has had a line where it was late.
      if (request.raw.socket.writable)
        refusals.refused(code, () => (error instanceof ReceptionError ? error.message : error.code));
    } else if (!(error instanceof QueueUnavailableError)) {
      logger.error({ err: error }, 'The receiver failed');
    }
    return answer(reply, code, message);
  };
}

/** Counts dropped connections, and says so in the log now and then. */
function dropTold({ logger, maxConnections }: AppOptions, { dropped }: ReceiverMetrics) {
  let toldAt = -Infinity;
  return (state: DroppedState): void => {
    dropped.inc({ state });
    if (performance.now() - toldAt < DROP_WARNING_MS) return;
    toldAt = performance.now();
    logger.warn(
      `More than ${maxConnections} connections are open (MAX_CONNECTIONS): those that send no signed request are dropped first`,
    );
  };
}
