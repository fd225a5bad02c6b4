import { hash, timingSafeEqual } from 'node:crypto';

/**
 * Makes the check of an `Authorization` header against the token of scripts.
 *
 * @param token  API_TOKEN; empty: no token is good.
 * @returns      A function that returns true for `Bearer <token>`. It compares digests, so that its time shows nothing of the token.
 */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const right = hash('sha256', token, 'buffer');
  return (authorization = '') => {
    const given = /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
    return timingSafeEqual(hash('sha256', given, 'buffer'), right) && given !== '';
  };
}
