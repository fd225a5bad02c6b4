import type { IncomingHttpHeaders } from 'node:http';

const READING = new Set(['GET', 'HEAD']);

/**
 * Tells whether a request may change something: browsers send Basic credentials along on their own, so a page
 * elsewhere could make an operator's browser act on the board.
 *
 * `Sec-Fetch-Site` decides where the browser sends it (https and loopback), `Origin` against `Host` where it does not.
 * A request with neither comes from no browser (curl, a script): it has credentials because somebody gave them.
 */
export function isOwnRequest(method: string, headers: IncomingHttpHeaders): boolean {
  if (READING.has(method)) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || (!!headers.host && headers.host.toLowerCase() === hostOf(headers.origin));
}

/** The host and port of an origin; empty for the origin `null` of sandboxed pages. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
