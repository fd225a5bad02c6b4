import type { IncomingHttpHeaders } from 'node:http';

const READING = new Set(['GET', 'HEAD']);

/**
 * Whether a request may change something. Browsers send Basic credentials on their own, so the page of another site could make
 * an operator's browser act on the board.
 *
 * - With `Sec-Fetch-Site`, which browsers send over https and to loopback, that header decides.
 * - Without it, `Origin` must match `Host`.
 * - A request with neither comes from no browser (curl, a script): an operator gave it its credentials.
 */
export function isOwnRequest(method: string, headers: IncomingHttpHeaders): boolean {
  if (READING.has(method)) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || (!!headers.host && headers.host.toLowerCase() === hostOf(headers.origin));
}

/** Returns the host and port of an origin; an empty text for the origin `null` of sandboxed pages. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
