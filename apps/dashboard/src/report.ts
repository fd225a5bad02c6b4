import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BOARD_PATH } from './board/board.ts';

/** While Postgres is away each page that is open fails every second. A line for each route and status within this time is enough, in ms. */
const REPEATED_MS = 10_000;

/** Logs each change with its address, and failed requests. The operator reads the reason of a failure in the answer. */
export function report(app: FastifyInstance, now = () => performance.now()): void {
  const logged = new Map<string, number>();

  function isRepeated(what: string): boolean {
    const at = logged.get(what) ?? -Infinity;
    if (now() - at < REPEATED_MS) return true;
    logged.set(what, now());
    return false;
  }

  app.addHook('onResponse', async (request, reply) => {
    const { method, ip } = request;
    const { statusCode: status } = reply;
    const isReading = method === 'GET' || method === 'HEAD';
    const line = { method, url: loggedUrl(request), address: ip, status };
    if (status >= 500) {
      if (isReading && isRepeated(`${status} ${patternOf(request)}`)) return;
      request.log.error(line, 'Dashboard request failed');
    } else if (!isReading && status !== 401 && status !== 429) request.log.info(line, 'Dashboard action');
  });
}

/**
 * What a line may say of a path. Those of the console's API name callers, so the route's pattern stands for them. A path of the board names
 * queues and jobs.
 */
function loggedUrl(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?');
  const pattern = patternOf(request);
  return pattern.startsWith(`${BOARD_PATH}/api/`) ? path : pattern;
}

function patternOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'unknown path';
}
