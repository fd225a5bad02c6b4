import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginCallback,
} from 'fastify';
import { loginCheck, type Login } from './login.ts';
import { metricsRoute } from './metrics-route.ts';
import { permitOnlyLossless } from './permitted-actions.ts';
import { RESPONSE_HEADERS } from './response-headers.ts';
import { isOwnRequest } from './same-origin.ts';

type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];

/** What the dashboard shows, to whom, and where it logs. */
export interface AppOptions {
  /** Opened and closed by the caller. */
  readonly queues: {
    readonly events: BoardQueue;
    readonly deadLetters: BoardQueue;
    /** Rejects while Redis is away. */
    readonly ping: () => Promise<void>;
  };
  readonly login: Login;
  /** None: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
}

/**
 * Builds Bull Board under `/`, over both queues, and `/metrics`, behind the login; it never listens.
 *
 * Every answer, static files and unknown paths included, is 401 without the login and 403 for a change asked for by
 * another site's page; a change that could lose an event is 403 for everybody (`permitted-actions.ts`). What the board
 * asks for is 503 while Redis is away.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...(options.logger && { loggerInstance: options.logger }),
    // The board polls every few seconds; what an operator changes is logged below.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 10_000,
    // A path that cannot be decoded never reaches the hooks: it gets the same headers here, and no more.
    frameworkErrors: (_error, _request, reply) => void reply.raw.writeHead(400, RESPONSE_HEADERS).end(),
  });
  guard(app, options.login);
  requireRedis(app, options.queues.ping);
  report(app);
  void app.register(board(options.queues));
  void app.register(metricsRoute(options.queues));
  return app;
}

/** The hooks of the root cover every route, the not-found one too, if they are added before any. */
function guard(app: FastifyInstance, login: Login): void {
  const isLoggedIn = loginCheck(login);
  app.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers;
    if (!isLoggedIn(authorization)) {
      // Without credentials it is a browser's first question; with wrong ones somebody is guessing.
      if (authorization) request.log.warn({ address: request.ip }, 'Dashboard login refused');
      return reply
        .code(401)
        .header('www-authenticate', 'Basic realm="Landline", charset="UTF-8"')
        .send({ code: 'unauthorized', message: 'Log in with DASHBOARD_USER and DASHBOARD_PASSWORD.' });
    }
    if (!isOwnRequest(request.method, request.headers)) {
      return reply.code(403).send({ code: 'cross_site', message: 'Changes are made from the dashboard itself only.' });
    }
  });
  // Last before the answer leaves, so that no plugin's own caching header wins.
  app.addHook('onSend', async (_request, reply) => void reply.headers(RESPONSE_HEADERS));
}

/** With Redis away there is nothing to show: said here once, and not as whatever a library throws. /metrics has more to tell. */
function requireRedis(app: FastifyInstance, ping: () => Promise<void>): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.url?.startsWith('/api/') !== true) return;
    try {
      await ping();
    } catch (error) {
      // The board shows `error` as the title of its message.
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({
          code: 'unavailable',
          error: 'Redis does not answer',
          message: `See that it runs, and that REDIS_URL is right; the queues are shown again when it does. ${String(error)}`,
        });
    }
  });
}

/** Who changed what, and what failed. The reason of a failure is in the answer, in front of the operator. */
function report(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip } = request;
    const line = { method, url, address: ip, status: reply.statusCode };
    if (reply.statusCode >= 500) request.log.error(line, 'Dashboard request failed');
    else if (method !== 'GET' && method !== 'HEAD' && reply.statusCode !== 401)
      request.log.info(line, 'Dashboard action');
  });
}

function board(queues: AppOptions['queues']): FastifyPluginCallback {
  const serverAdapter = new FastifyAdapter();
  createBullBoard({
    queues: [
      new BullMQAdapter(queues.deadLetters, {
        description:
          'Events that could not be applied, with the error. Retry applies one again once the cause is gone.',
      }),
      new BullMQAdapter(queues.events, { description: 'Events on their way from the receiver to Postgres.' }),
    ],
    serverAdapter,
    options: {
      handlerHooks: { before: permitOnlyLossless },
      uiConfig: { boardTitle: 'Landline', hideDocsLink: true },
    },
  });
  return serverAdapter.registerPlugin();
}
