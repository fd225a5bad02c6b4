import { hash, timingSafeEqual } from 'node:crypto';

/** The one user of the board. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Makes the check of an `Authorization` header against one login.
 *
 * @returns a function that is true for `Basic <base64 of user:password>` (RFC 7617, UTF-8) with both right. It takes
 *          the same time whichever half is wrong: both are compared, as SHA-256 digests, which also hides the lengths.
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

/** What cannot be read becomes two empty strings, which no configuration allows as a login. */
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
