import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Login } from './login.ts';

/** How long a session lasts, in ms. After that the browser asks for the password anew, although it remembers it. */
const SESSION_MS = 12 * 3_600_000;

/** How many sessions that were signed out are remembered. At one more the dashboard forgets the first. */
const MOST_SIGNED_OUT = 10_000;

/** What a session's cookie says: no cookie of ours is there, the session goes on, or it has ended. */
export type SessionState = { is: 'none' } | { is: 'live'; endsAt: number } | { is: 'ended' };

/** Makes and reads the cookies of sessions. */
export interface Sessions {
  /** Makes a session that begins now. @param isSecure  Whether the browser sends the cookie over https alone. */
  begin(isSecure?: boolean): { cookie: string; endsAt: number };
  /** Reads the `Cookie` header of a request. */
  read(header: string | undefined): SessionState;
  /** Ends the session of a request at once, also for copies of its cookie; until a restart, and in this process alone. */
  end(header: string | undefined): void;
  /** The `Set-Cookie` header that takes the cookie away. */
  removal(isSecure?: boolean): string;
}

/**
 * Makes sessions for a login. A cookie is `<end in unix ms>.<random>.<HMAC-SHA-256>`, signed by a key made of the login, so it needs no
 * memory and lasts over a restart of the dashboard.
 *
 * The cookie's name is that of the key: a browser sends the cookies of all dashboards of a host, whatever their ports and passwords.
 * It is sent along when a link on another site opens a page (`SameSite=Lax`): without it the password that the browser remembers would begin a
 * new session, unasked. Other sites' forms and scripts do not get it sent.
 *
 * It has no age of its own. If the browser dropped it when the session ends, the dashboard could not tell that one has ended.
 *
 * @param now  The current time in unix ms.
 */
export function createSessions({ user, password }: Login, now: () => number = Date.now): Sessions {
  // Slow on purpose: who has a cookie could guess passwords with it.
  const key = scryptSync(password, `landline session of ${user}`, 32);
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const name = `landline_session_${sign('name').slice(0, 12)}`;
  const signedOut = new Set<string>();

  function find(header = ''): { endsAt: number; random: string } | 'forged' | undefined {
    const value = header
      .split(';')
      .map((part) => part.trim())
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(name.length + 1);
    if (value === undefined) return undefined;
    const [, endsAt, random, signature] = /^(\d{1,15})\.([\w-]{1,64})\.([\w-]{43})$/.exec(value) ?? [];
    if (endsAt === undefined || random === undefined || signature === undefined) return 'forged';
    const right = Buffer.from(sign(`${endsAt}.${random}`));
    return timingSafeEqual(right, Buffer.from(signature)) ? { endsAt: Number(endsAt), random } : 'forged';
  }

  return {
    begin(isSecure = false) {
      const endsAt = now() + SESSION_MS;
      const text = `${endsAt}.${randomBytes(12).toString('base64url')}`;
      return { cookie: `${name}=${text}.${sign(text)}; ${attributes(isSecure)}`, endsAt };
    },
    read(header) {
      const found = find(header);
      if (found === undefined) return { is: 'none' };
      if (found === 'forged' || found.endsAt <= now() || signedOut.has(found.random)) return { is: 'ended' };
      return { is: 'live', endsAt: found.endsAt };
    },
    end(header) {
      const found = find(header);
      if (found === undefined || found === 'forged') return;
      const [first] = signedOut;
      if (signedOut.size >= MOST_SIGNED_OUT && first !== undefined) signedOut.delete(first);
      signedOut.add(found.random);
    },
    removal: (isSecure = false) => `${name}=; ${attributes(isSecure)}; Max-Age=0`,
  };
}

function attributes(isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
}
