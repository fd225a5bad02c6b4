import { hash, timingSafeEqual } from 'node:crypto';

/** The login of the board's only user. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Makes the check of an `Authorization` header against one login.
 *
 * @returns A function that returns true for `Basic <base64 of user:password>` (RFC 7617, UTF-8) with both right. It always
 *          compares the SHA-256 digests of both. So its time shows neither which half is wrong nor the lengths.
 */
export function loginCheck(login: Login): (authorization: string | undefined) => boolean {
  const user = digest(login.user);
  const password = digest(login.password);
  return (authorization) => {
    const given = credentials(authorization);
    const userMatches = timingSafeEqual(digest(given.user), user);
    const passwordMatches = timingSafeEqual(digest(given.password), password);
    return userMatches && passwordMatches;
  };
}

/** Reads a header. Returns two empty texts, which no configuration allows as a login, for a header that it cannot read. */
function credentials(authorization = ''): Login {
  const encoded = /^basic +([a-z0-9+/]+={0,2})$/i.exec(authorization)?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return { user: '', password: '' };
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
