import type { FastifyRequest } from 'fastify';

/**
 * Whether a request is one to the API. The route decides, however its path is spelled: `/%61pi/v1/…` and `http://host/api/v1/…` lead to the same ones. Where
 * none but that of all pages was found, the decoded path does.
 */
export function isOfApi({ url, routeOptions }: FastifyRequest): boolean {
  const pattern = routeOptions.url;
  return isBelow(pattern === undefined || pattern === ANY_PAGE ? decodedPath(url) : pattern);
}

/** The route of the console's pages takes every path that no other route has. */
const ANY_PAGE = '/*';

function isBelow(path: string): boolean {
  return /^\/api\/v1(?:\/|$)/.test(path);
}

/** The path as the router reads it: without the origin of the absolute form, and without the query. */
function decodedPath(url: string): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Whether the browser reached the proxy by https, as the proxy says. Who says so without one gets a stricter cookie, and nothing else. */
export function isOverTls({ headers, protocol }: FastifyRequest): boolean {
  const [first = ''] = String(headers['x-forwarded-proto'] ?? '').split(',');
  return protocol === 'https' || first.trim().toLowerCase() === 'https';
}
