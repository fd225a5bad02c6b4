import type { ShardQueues } from '@landline/queue';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify';
import { board, type Board } from './board.ts';
import { loginCheck, type Login } from './login.ts';
import { createLoginLimit } from './login-limit.ts';
import { metricsRoute } from './metrics-route.ts';
import { RESPONSE_HEADERS } from './response-headers.ts';
import { retryInBackground } from './retry-in-background.ts';
import { isOwnRequest } from './same-origin.ts';

/** The queues that the dashboard shows, its login and its logger. */
export interface AppOptions {
  /** Returns the queues of each shard that there is now. The caller opens and closes them. */
  readonly shards: () => readonly ShardQueues[];
  readonly login: Login;
  /** Undefined: the dashboard logs nothing. */
  readonly logger?: FastifyBaseLogger;
}

/**
 * Builds Bull Board under `/`, over the queues of all shards, and `/metrics`, behind the login; the app does not listen yet.
 *
 * | status | request, static files and unknown paths included |
 * | --- | --- |
 * | 401 | without the login |
 * | 429 | from an address with too many failed logins |
 * | 403 | for a change, from the page of another site |
 * | 403 | for a change that could lose an event, also from the board itself (`permitted-actions.ts`) |
 * | 503 | to the board's API, while no shard answers; the queues of one that does not answer are not shown |
 */
export function createApp(options: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...(options.logger && { loggerInstance: options.logger }),
    // The board polls every few seconds. `report` logs the operator's changes.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 10_000,
    // For a path that cannot be decoded Fastify runs no hook, so the headers are set here.
    frameworkErrors: (_error, _request, reply) => void reply.raw.writeHead(400, RESPONSE_HEADERS).end(),
  });
  guard(app, options.login);
  const { shards } = options;
  const shown = board(shards());
  requireRedis(app, () => showThoseThatAnswer(shards(), shown));
  retryInBackground(app, shards);
  report(app);
  void app.register(shown.plugin);
  void app.register(metricsRoute(shards));
  return app;
}

/** Adds the login and its limit. Hooks of the root that are added before any route cover every route, also that for unknown paths. */
function guard(app: FastifyInstance, login: Login): void {
  const isLoggedIn = loginCheck(login);
  const limit = createLoginLimit();
  app.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers;
    // A request without credentials is a browser's first; only one with wrong credentials is a guess.
    const waitMs = authorization ? limit.waitMs(request.ip) : 0;
    if (waitMs > 0) {
      return reply
        .code(429)
        .header('retry-after', String(Math.ceil(waitMs / 1000)))
        .send({ code: 'too_many_logins', message: 'Too many failed logins from this address. Try again in a minute.' });
    }
    if (!isLoggedIn(authorization)) {
      if (authorization) reportRefusal(request, limit.fail(request.ip));
      return reply
        .code(401)
        .header('www-authenticate', 'Basic realm="Landline", charset="UTF-8"')
        .send({ code: 'unauthorized', message: 'Log in with DASHBOARD_USER and DASHBOARD_PASSWORD.' });
    }
    if (!isOwnRequest(request.method, request.headers)) {
      return reply.code(403).send({ code: 'cross_site', message: 'Changes are made from the dashboard itself only.' });
    }
  });
  // Runs last before the answer leaves, so that no caching header of a plugin wins.
  app.addHook('onSend', async (_request, reply) => void reply.headers(RESPONSE_HEADERS));
}

function reportRefusal(request: FastifyRequest, isLast: boolean): void {
  request.log.warn({ address: request.ip }, 'Dashboard login refused');
  if (isLast) request.log.error({ address: request.ip }, 'Dashboard logins of this address are refused for a minute');
}

/** Answers the board's API with 503 while Redis is away, instead of an error of a library. /metrics is not part of it, and answers. */
function requireRedis(app: FastifyInstance, ask: () => Promise<void>): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.url?.startsWith('/api/') !== true) return;
    try {
      await ask();
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

/** Bull Board asks all of its queues at once, and shows none where one does not answer. @throws where none answers */
async function showThoseThatAnswer(shards: readonly ShardQueues[], shown: Board): Promise<void> {
  const pings = await Promise.allSettled(shards.map((shard) => shard.ping()));
  const there = shards.filter((_, i) => pings[i]?.status === 'fulfilled');
  const refused = pings.find((ping) => ping.status === 'rejected');
  if (there.length === 0 && refused !== undefined) throw refused.reason;
  shown.show(there);
}

/** Logs each change with its address, and each failed request. The operator reads the reason of a failure in the answer. */
function report(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip } = request;
    const line = { method, url, address: ip, status: reply.statusCode };
    if (reply.statusCode >= 500) request.log.error(line, 'Dashboard request failed');
    else if (method !== 'GET' && method !== 'HEAD' && reply.statusCode !== 401 && reply.statusCode !== 429)
      request.log.info(line, 'Dashboard action');
  });
}
