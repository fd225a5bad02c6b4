import { z } from 'zod';

/** How the variable of an origin is read. */
export interface OriginForm {
  /** Such as `https://calls.example.com`, for the message. */
  example: string;
  /** A path that may stand behind the origin, and is cut. */
  path?: string;
  /** Whether a secret goes there: then http is for this machine alone. */
  isSecret?: boolean;
}

/** Hosts that are this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Makes the schema of a variable that names an origin. Slashes at the end are cut.
 *
 * @param name  Its name, for the message.
 */
export function originOf(name: string, { example, path = '', isSecret = false }: OriginForm) {
  return z.string().transform((text, context) => {
    const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
    const isBare = url !== undefined && isSecret && url.protocol === 'http:' && !LOOPBACK.test(url.hostname);
    if (url !== undefined && isOrigin(url, path) && !isBare) return url.origin;
    const needed = isBare ? 'use https, because the API key goes there' : 'http or https, without user, path or query';
    context.addIssue({ code: 'custom', message: `${name} must be an origin such as ${example}: ${needed}` });
    return z.NEVER;
  });
}

function isOrigin({ protocol, pathname, search, hash, username, password }: URL, path: string): boolean {
  const isHttp = protocol === 'https:' || protocol === 'http:';
  return isHttp && ['', path].includes(pathname.replace(/\/+$/, '')) && `${search}${hash}${username}${password}` === '';
}
