import { fileURLToPath } from 'node:url';
import type { ShardQueues } from '@landline/queue';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { API_PATH, api } from './api/api.ts';
import { faultOf } from './api/faults.ts';
import type { ApiPorts } from './api/ports.ts';
import { BOARD_PATH, board } from './board/board.ts';
import { requireRedis } from './board/require-redis.ts';
import { retryInBackground } from './board/retry-in-background.ts';
import { consolePages } from './console-pages.ts';
import { guard, type GuardOptions } from './login/guard.ts';
import { metricsRoute } from './metrics-route.ts';
import { report } from './report.ts';
import { responseHeaders } from './response-headers.ts';

/** The queues that the dashboard shows, who may come in, and its logger. */
export interface AppOptions extends GuardOptions {
  /** Returns the queues of each shard that there is now. The caller opens and closes them. */
  readonly shards: () => readonly ShardQueues[];
  /** What the console's API works with; undefined: there is no API. */
  readonly console?: ApiPorts;
  /** The folder of the console's pages; by default what the build has made. */
  readonly pagesFolder?: string;
  /** Undefined: the dashboard logs nothing. */
  readonly logger?: FastifyBaseLogger;
}

/** The longest id in a path, in characters as they are written there: an id of 256 characters may take twelve for each. */
const MOST_PARAMETER_CHARACTERS = 256 * 12;

/**
 * Builds the console under `/`, its API under `/api/v1`, Bull Board under `/queues` over the queues of all shards, and `/metrics`, all behind
 * the login; the app does not listen yet.
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
    // Pages poll every second. `report` logs the operator's changes.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 10_000,
    routerOptions: { maxParamLength: MOST_PARAMETER_CHARACTERS },
    // For a path that cannot be decoded Fastify runs no hook, so the headers are set here.
    frameworkErrors: (_error, _request, reply) => void reply.raw.writeHead(400, responseHeaders('', 400)).end(),
  });
  guard(app, options);
  // Runs last before the answer leaves, so that no caching header of a plugin wins.
  app.addHook('onSend', async (request, reply) => void reply.headers(responseHeaders(request.url, reply.statusCode)));
  const { shards } = options;
  const shown = board(shards());
  requireRedis(app, shards, shown);
  retryInBackground(app, shards);
  report(app);
  answerFaults(app);
  void app.register(shown.plugin, { prefix: BOARD_PATH });
  void app.register(metricsRoute(shards));
  if (options.console !== undefined) void app.register(api(options.console), { prefix: API_PATH });
  void app.register(consolePages(options.pagesFolder ?? BUILT_PAGES));
  return app;
}

const BUILT_PAGES = fileURLToPath(new URL('../dist-pages', import.meta.url));

/** Fastify's own answers would have the URL, and so would its line of the log. */
function answerFaults(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    const { status, fault } = faultOf(error);
    return reply.code(status).send(fault);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'not_found', message: 'There is nothing at this path.' }),
  );
}
