/**
 * The board's Content-Security-Policy: the browser loads from this server alone. It also refuses the web font that Bull Board
 * asks for, since a font server would learn who opens the board, and when.
 *
 * Styles may be inline because Bull Board sets `style` attributes; scripts may not.
 */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The policy of everything else: what the console loads comes from this server, as a file. */
const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "media-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Files with a hash of their content in their name; nothing in them is about a caller. */
const FOREVER = 'private, max-age=31536000, immutable';

/**
 * Makes the headers of an answer, refusals and static files included. Nothing is kept by the browser but the console's own code: all
 * else may be personal data.
 *
 * @param url         The request's, with or without its query.
 * @param statusCode  Of the answer.
 */
export function responseHeaders(url: string, statusCode: number): Record<string, string> {
  const isAsset = url.startsWith('/assets/') && (statusCode === 200 || statusCode === 304);
  return {
    'cache-control': isAsset ? FOREVER : 'no-store',
    'content-security-policy': /^\/queues(?:[/?]|$)/.test(url) ? BOARD_POLICY : CONSOLE_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}
