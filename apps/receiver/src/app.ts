import { addCanaryAge, type Logger, type Tracing } from '@landline/process';
import type { Intake } from '@landline/intake';
import { QueueUnavailableError, type ActivityWriter, type CanaryMark } from '@landline/queue';
import { SpoolError, type Spool } from '@landline/recordings';
import { WEBHOOK_PATH } from '@landline/webhook';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, answerFor, statusOf, type AnswerCode } from './answers.ts';
import { clientErrorHandler } from './client-errors.ts';
import { createConnections, type Connections, type DroppedState } from './connections.ts';
import { holdContinue, isHeldBack } from './expect-continue.ts';
import { publicHealthRoutes } from './health-routes.ts';
import { createMetrics, measureReception, type ReceiverMetrics } from './metrics.ts';
import { createReception, type Reception } from './reception.ts';
import { ReceptionError } from './reception-error.ts';
import { createRefusalLog, type RefusalLog } from './refusal-log.ts';
import type { Rejections } from './rejected/rejections.ts';
import { webhookRoute } from './webhook-route.ts';

/**
 * The largest body of a refused request that the receiver reads to its end, in bytes. The receiver closes the connection of a
 * request with a larger body, rather than receive bytes only to discard them.
 */
const READ_ON_BYTES = 65_536;

/** The shortest time between two warnings of dropped connections, in ms: a flood drops thousands a second. */
const DROP_WARNING_MS = 60_000;

/** The receiver's parts and limits. */
export interface AppOptions {
  intake: Pick<Intake, 'accept' | 'canTake'>;
  /** Takes bodies above 1 MiB, and all audio. */
  spool: Pick<Spool, 'begin' | 'hasRoomFor'>;
  /** Undefined: the receiver sends no canary. */
  canaryMark?: Pick<CanaryMark, 'newest'> | undefined;
  /** Keeps requests that are refused for their signature; undefined: nothing does. */
  rejections?: Pick<Rejections, 'note'> | undefined;
  /** Counts for the console; undefined: nothing does. */
  activity?: Pick<ActivityWriter, 'count'> | undefined;
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** How old a signature may be, in seconds. */
  toleranceSeconds: number;
  bodyLimitBytes: number;
  /** How long a header may take to arrive, and how long a body may send nothing, in ms. */
  requestTimeoutMs: number;
  /** How many bytes a second a body must send on average, once it takes longer than `requestTimeoutMs`. */
  minBytesPerSecond: number;
  /** How long a connection stays open after an answer. */
  keepAliveTimeoutMs: number;
  /** How many connections may be open at once. */
  maxConnections: number;
  /** How many bytes of bodies may be in memory at once. */
  maxReceivingBytes?: number;
  logger: Logger;
  /** Made here unless given. A caller adds metrics of its own to the registry. */
  metrics?: ReceiverMetrics;
  /** Undefined where nobody makes traces. */
  tracing?: Tracing | undefined;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** The receiver: an HTTP server that does not listen yet, and the functions that stop it. */
export interface ReceiverApp {
  server: FastifyInstance;
  /** Whether `drain` was called. */
  isDraining(): boolean;
  /**
   * Stops the receiver in three steps:
   *
   * 1. For `waitMs` the receiver is not ready but serves on, so that a load balancer can notice.
   * 2. The receiver stops listening, answers the requests under way, and closes each connection after its answer.
   * 3. After another `timeoutMs` the receiver cuts connections whose request has not arrived in full. Node's own time-outs
   *    do not act on a server that closes.
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
    onDrop: reportDrops(options, metrics),
  });
  const reception = createReception({
    ...options,
    connections,
    maxBytes: options.maxReceivingBytes,
    beginInSpool: (makeRoom) => options.spool.begin({ isLarge: true, makeRoom }),
  });
  measureReception(metrics, { connections: () => connections.count(), receivingBytes: () => reception.bytes() });
  addHooks(server, { refusals, connections, reception, metrics, activity: options.activity, isDraining });
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
      reception.close();
      refusals.close();
    },
  };
}

function createServer(
  options: AppOptions,
  { refusals, metrics }: Pick<HookOptions, 'refusals' | 'metrics'>,
): FastifyInstance {
  const { bodyLimitBytes, requestTimeoutMs, keepAliveTimeoutMs } = options;
  const wholeRequestMs = longestRequestMs(options);
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: wholeRequestMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // The time-outs act only when Node checks its connections, by default every 30 s.
    http: {
      // Node compares the two limits before Fastify sets the first; Node's own default for it is 5 min.
      requestTimeout: wholeRequestMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, requestTimeoutMs / 4)),
    },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    // A draining receiver answers a request that has arrived like any other.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: clientErrorHandler(refusals, metrics),
    // For a path that cannot be decoded Fastify runs no hook and no route.
    frameworkErrors: (error, _request, reply) => {
      const { code, message } = answerFor(error);
      void answer(reply, code, message);
    },
  });
  holdContinue(server.server);
  return server;
}

/** The time that the slowest of good senders needs for the largest body, in ms. The reception gives others up sooner. */
function longestRequestMs({ bodyLimitBytes, requestTimeoutMs, minBytesPerSecond }: AppOptions): number {
  return requestTimeoutMs * 2 + Math.ceil((bodyLimitBytes / minBytesPerSecond) * 1000);
}

interface HookOptions {
  refusals: RefusalLog;
  connections: Connections;
  reception: Reception;
  metrics: ReceiverMetrics;
  activity: AppOptions['activity'];
  isDraining: () => boolean;
}

/** Adds the hooks that run for every request. They take a callback: a promise would cost each request a turn of the microtask queue. */
function addHooks(
  server: FastifyInstance,
  { connections, reception, metrics, activity, isDraining }: HookOptions,
): void {
  server.decorateReply('answerCode', null);
  server.decorateRequest('arrival', null);
  server.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    // An answer without a socket waits for an earlier answer on its connection.
    if (reply.raw.socket === null) connections.queued(connections.of(socket), reply.raw);
    if (socket.destroyed) return;
    if (request.is404) return void notFound(reply);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const { answerCode } = reply;
    if (isDraining() || (answerCode !== null && !isReadOn(request, answerCode))) reply.header('connection', 'close');
    if (!request.raw.complete) connections.leftOver(connections.of(request.raw.socket), request.raw);
    // The sender reads no answer on an ended socket. Its late request has had its 408, and was counted then.
    const isRejected = answerCode !== null && answerCode !== 'not_found' && request.raw.socket.writable;
    if (isRejected) metrics.rejected.inc({ code: answerCode });
    if (isRejected && statusOf(answerCode) === 401) activity?.count('refused');
    reception.answered(request, { isAccepted: answerCode === null });
    done(null, payload);
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return answer(reply, 'not_found', `Webhooks go to POST ${WEBHOOK_PATH}.`);
}

/** Whether the rest of a refused request is small enough to read, so that its connection can stay open. */
function isReadOn({ raw, headers, isCollected }: FastifyRequest, code: AnswerCode): boolean {
  if (isCollected) return true;
  // Nobody knows when the rest of a late body comes, or whether a sender that was not asked for its body sends it.
  if (code === 'request_timeout' || isHeldBack(raw)) return false;
  return (
    raw.complete || (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > READ_ON_BYTES))
  );
}

function errorHandler(refusals: RefusalLog, logger: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { code, message } = answerFor(error);
    if (error instanceof ReceptionError || code !== 'unavailable') {
      // A sender that hung up gets no answer; a late one has its line in the log already.
      if (request.raw.socket.writable)
        refusals.refused(code, () => (error instanceof ReceptionError ? error.message : error.code));
    } else if (!(error instanceof QueueUnavailableError || error instanceof SpoolError)) {
      // The intake and the spool report their troubles themselves, once.
      logger.error({ err: error }, 'The receiver failed');
    }
    return answer(reply, code, message);
  };
}

/** Returns a function that counts each dropped connection, and logs a warning at most every `DROP_WARNING_MS`. */
function reportDrops({ logger, maxConnections }: AppOptions, { dropped }: ReceiverMetrics) {
  let warnedAt = -Infinity;
  return (state: DroppedState): void => {
    dropped.inc({ state });
    if (performance.now() - warnedAt < DROP_WARNING_MS) return;
    warnedAt = performance.now();
    logger.warn(
      `More than ${maxConnections} connections are open (MAX_CONNECTIONS): those that send no signed request are dropped first`,
    );
  };
}
