import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { DEADLINE_MS } from './deadline.ts';
import { ApiFault, faultOf } from './faults.ts';
import type { ApiPorts } from './ports.ts';
import type { ApiRoute } from './route.ts';
import { apiRoutes } from './routes.ts';

/** Where the API is. */
export const API_PATH = '/api/v1';

/** No request of the API is larger. */
const BODY_LIMIT_BYTES = 65_536;

/** Makes the API of the console, as a plugin that is registered under `API_PATH` behind the login. */
export function api(ports: ApiPorts): FastifyPluginCallback {
  return (app, _options, done) => {
    readJson(app);
    app.setErrorHandler((error, request, reply) => answerFault(error, request, reply));
    for (const route of apiRoutes(ports)) register(app, route);
    done();
  };
}

/** An empty body is none, whatever type it is said to have. */
function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(body.toString()));
    } catch {
      done(new ApiFault(400, { code: 'invalid', message: 'The body must be JSON.' }));
    }
  });
}

function register(app: FastifyInstance, route: ApiRoute): void {
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: BODY_LIMIT_BYTES,
    handler: async (request, reply) => {
      const { visitor } = request;
      // The guard lets nobody in without one.
      if (visitor === null) throw new TypeError('A request came past the guard.');
      const answer = await route.run({ visitor, ...signals(reply), request, reply });
      if (reply.sent) return reply;
      return reply.code(reply.statusCode === 200 ? route.status : reply.statusCode).send(answer);
    },
  });
}

/** `gone` is aborted when nobody waits for the answer any more, `signal` also when the time is over. */
function signals(reply: FastifyReply): { signal: AbortSignal; gone: AbortSignal } {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return { signal: AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), gone.signal]), gone: gone.signal };
}

function answerFault(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, fault, cause } = faultOf(error);
  if (status === 500) request.log.error(describeCause(cause), 'A route of the API has a fault');
  if (status === 503) reply.header('retry-after', '5');
  return reply.code(status).type('application/json; charset=utf-8').send(fault);
}

/** What a line of the log may have of an error: its message may quote a caller. */
function describeCause(cause: unknown): object {
  if (!(cause instanceof Error)) return { name: typeof cause };
  const frames = cause.stack?.split('\n').filter((line) => line.startsWith('    at '));
  return { name: cause.name, code: 'code' in cause ? cause.code : undefined, stack: frames?.join('\n') };
}
