import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createLoginLimit } from './login-limit.ts';
import { loginCheck, type Login } from './login.ts';
import { isOfApi, isOverTls } from './request-facts.ts';
import { isOwnRequest } from './same-origin.ts';
import { createSessions, type Sessions } from './session.ts';
import { tokenCheck } from './token.ts';

/** Who asks. */
export interface Visitor {
  /** The login's name; `API token` for a script that came with the token. */
  user: string;
  /** When the session ends, in unix ms; null for a request that has none. */
  endsAt: number | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard before any handler runs. */
    visitor: Visitor | null;
  }
}

/** Who may come in. */
export interface GuardOptions {
  login: Login;
  /** The token of scripts, for /api/v1 alone. Empty: there is none. */
  apiToken?: string | undefined;
  /** The current time in unix ms. */
  now?: (() => number) | undefined;
}

/** The name of those who come with the token, as `requested_by` of operations has it. */
const TOKEN_USER = 'API token';

/** What operations take of a name. */
const MOST_USER_CHARACTERS = 200;

/**
 * Adds the login, its limit, and sessions to every route, also that for unknown paths: hooks of the root that are added before any route
 * cover all of them.
 *
 * | request | answer |
 * | --- | --- |
 * | the right Bearer, under /api/v1 | let in |
 * | a live session, whatever else comes with it | let in |
 * | any other Basic or Bearer, from an address with ten failed logins | 429, the right password too: else the answer would tell which guess was right |
 * | Basic, no cookie | let in; a browser that opens a page gets a session |
 * | an ended session, with or without Basic | 401; one that opens a page is asked anew, and its cookie is taken away |
 * | wrong Basic or Bearer | 401, and counted |
 *
 * Nobody guesses a token or the signature of a cookie. So behind a proxy, where all have one address, those who are in stay in while somebody guesses.
 *
 * A request that a script of a page made is never asked: the browser would show its dialog over the page.
 */
export function guard(app: FastifyInstance, { login, apiToken = '', now }: GuardOptions): void {
  const isLoggedIn = loginCheck(login);
  const isToken = tokenCheck(apiToken);
  const sessions = createSessions(login, now);
  const limit = createLoginLimit();
  const user = login.user.slice(0, MOST_USER_CHARACTERS);
  app.decorateRequest('visitor', null);

  function hasToken(request: FastifyRequest): boolean {
    return isOfApi(request) && isToken(request.headers.authorization);
  }

  /** Answers undefined where it has refused. */
  function logIn(request: FastifyRequest, reply: FastifyReply): Visitor | undefined {
    const { authorization, cookie } = request.headers;
    const session = sessions.read(cookie);
    if (session.is === 'live') return { user, endsAt: session.endsAt };
    // A request without credentials is a browser's first; only one with wrong credentials is a guess.
    const waitMs = authorization ? limit.waitMs(request.ip) : 0;
    if (waitMs > 0) return void refuseForNow(reply, waitMs);
    if (authorization && !isLoggedIn(authorization)) {
      reportRefusal(request, limit.fail(request.ip));
      return void refuse(request, reply);
    }
    if (session.is === 'ended') return void refuseEnded(request, reply, sessions);
    if (!authorization) return void refuse(request, reply);
    if (!opensPage(request)) return { user, endsAt: null };
    const { cookie: begun, endsAt } = sessions.begin(isOverTls(request));
    reply.header('set-cookie', begun);
    return { user, endsAt };
  }

  app.addHook('onRequest', async (request, reply) => {
    const visit = hasToken(request) ? { user: TOKEN_USER, endsAt: null } : logIn(request, reply);
    if (visit === undefined) return reply;
    request.visitor = visit;
    // No other site has business with the API, not even to make it search.
    if (!isOwnRequest(isOfApi(request) ? 'ANY' : request.method, request.headers)) {
      return reply
        .code(403)
        .send({ code: 'cross_site', message: 'Ask from the dashboard itself: another site may not.' });
    }
  });
  signOut(app, sessions);
}

/** Ends the session. The browser then asks for the password, and what it sends is a new login. */
function signOut(app: FastifyInstance, sessions: Sessions): void {
  app.get('/sign-out', async (request, reply) => {
    if (sessions.read(request.headers.cookie).is === 'none') return reply.redirect('/', 303);
    sessions.end(request.headers.cookie);
    return refuseEnded(request, reply, sessions);
  });
}

/** Whether a browser asks for a page that it is about to show. Over plain http it says so by `Accept` alone. */
function opensPage({ headers }: FastifyRequest): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? headers.accept?.includes('text/html') === true : mode === 'navigate';
}

/** Whether a browser asks on behalf of a page that is open. */
function isOfPage({ headers }: FastifyRequest): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode !== undefined && mode !== 'navigate';
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return challenge(reply, !isOfPage(request)).send({
    code: 'unauthorized',
    message: 'Log in with DASHBOARD_USER and DASHBOARD_PASSWORD.',
  });
}

function refuseEnded(request: FastifyRequest, reply: FastifyReply, sessions: Sessions): FastifyReply {
  const isAsked = opensPage(request);
  // A page keeps the cookie: without it the password that the browser remembers would be a new login, unasked.
  if (isAsked) reply.header('set-cookie', sessions.removal(isOverTls(request)));
  return challenge(reply, isAsked).send({
    code: 'unauthorized',
    message: 'The session has ended. Open the page anew and log in.',
  });
}

/** With the challenge a browser shows its dialog. */
function challenge(reply: FastifyReply, isAsked: boolean): FastifyReply {
  if (isAsked) reply.header('www-authenticate', 'Basic realm="Landline", charset="UTF-8"');
  return reply.code(401);
}

function refuseForNow(reply: FastifyReply, waitMs: number): FastifyReply {
  return reply
    .code(429)
    .header('retry-after', String(Math.ceil(waitMs / 1000)))
    .send({ code: 'too_many_logins', message: 'Too many failed logins from this address. Try again in a minute.' });
}

function reportRefusal(request: FastifyRequest, isLast: boolean): void {
  request.log.warn({ address: request.ip }, 'Dashboard login refused');
  if (isLast) request.log.error({ address: request.ip }, 'Dashboard logins of this address are refused for a minute');
}
