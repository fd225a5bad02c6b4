import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Why a request is answered 401. */
export type TokenFault = 'token_not_set' | 'token_missing' | 'token_mismatch';

/** What to do about each fault, for the operator who sets up the request. */
export const TOKEN_ADVICE: Readonly<Record<TokenFault, string>> = {
  token_not_set: 'Landline has no token yet: set INITIATION_TOKEN and restart.',
  token_missing: 'Send INITIATION_TOKEN in the header "Authorization: Bearer <token>" or "X-Landline-Token: <token>".',
  token_mismatch: 'The token is not INITIATION_TOKEN. Copy it again, all of it.',
};

/**
 * Makes the check of a request's headers.
 *
 * @param token  The token; empty: none is set, and the check refuses every request.
 * @returns      A function that returns why it refuses a request, undefined where it does not. A wrong token takes it as long as the right one.
 */
export function createTokenCheck(token: string): (headers: IncomingHttpHeaders) => TokenFault | undefined {
  if (token === '') return () => 'token_not_set';
  const expected = digest(Buffer.from(token));
  // Node reads headers as Latin-1, byte by byte.
  const isToken = (sent: string) => timingSafeEqual(digest(Buffer.from(sent, 'latin1')), expected);
  return (headers) => {
    const sent = tokensIn(headers);
    if (sent.length === 0) return 'token_missing';
    return sent.map(isToken).includes(true) ? undefined : 'token_mismatch';
  };
}

function tokensIn({ authorization, 'x-landline-token': own }: IncomingHttpHeaders): string[] {
  const [, bearer] = /^bearer +(.+)$/i.exec(authorization ?? '') ?? [];
  return [bearer, own].flat().flatMap((token) => (token ? [token] : []));
}

function digest(token: Buffer): Buffer {
  return hash('sha256', token, 'buffer');
}
