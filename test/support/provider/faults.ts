import { invalidKey, missingPermission, notFound, refusal, type Answer, type Asked, type Manner } from './answers.ts';
import type { World } from './world.ts';

/** How long a client is told to wait, and in which of the provider's ways. */
export interface Wait {
  seconds: number;
  as: 'retry-after' | 'retry-after-date' | 'x-ratelimit-reset';
}

/** What goes wrong with an answer. */
export type Fault =
  /** 429. */
  | { kind: 'too_many_concurrent_requests' | 'system_busy'; wait?: Wait }
  /** 500, as text. */
  | { kind: 'internal_error' }
  /** A page for people instead of JSON. */
  | { kind: 'html'; status?: number }
  | Manner
  /** 401. */
  | { kind: 'missing_permissions'; permission: string }
  | { kind: 'invalid_api_key' }
  /** 403. */
  | { kind: 'forbidden' }
  /** 404. A conversation that the list still has is gone; of a path that ends with /audio: the call has no audio. */
  | { kind: 'not_found' }
  /** A list that says it has more, without a cursor. */
  | { kind: 'no_cursor' }
  /** A list without some conversations, which appear later. */
  | { kind: 'unlisted'; ids: readonly string[] }
  /** Something changes just before the answer. */
  | { kind: 'before'; run: (world: World) => void };

/** Which requests a fault meets. */
export type FaultRule = Fault & {
  /** The whole path, or a pattern. */
  path: string | RegExp;
  method?: string;
  /** How many requests; 1 by default. */
  times?: number | 'always';
  /** How many requests are left alone before. */
  after?: number;
};

/** The rules of a stand-in. */
export interface Faults {
  /** Adds a rule, and returns what ends it. Of several, the first that fits a request counts. */
  fail: (rule: FaultRule) => () => void;
  /** Returns the fault of a request, which is one of its rule's times. */
  faultOf: (asked: Pick<Asked, 'method' | 'path'>) => Fault | undefined;
}

/** Makes a stand-in's rules: none at first. */
export function createFaults(): Faults {
  const rules: { rule: FaultRule; before: number; left: number }[] = [];
  return {
    fail(rule) {
      const { times = 1, after = 0 } = rule;
      const entry = { rule, before: after, left: times === 'always' ? Infinity : times };
      rules.push(entry);
      return () => void (entry.left = 0);
    },
    faultOf(asked) {
      const entry = rules.find((each) => each.left > 0 && fits(each.rule, asked) && --each.before < 0);
      if (entry === undefined) return undefined;
      entry.left--;
      return entry.rule;
    },
  };
}

function fits({ path, method }: FaultRule, asked: Pick<Asked, 'method' | 'path'>): boolean {
  if (method !== undefined && method !== asked.method) return false;
  return typeof path === 'string' ? path === asked.path : path.test(asked.path);
}

/** A request with a fault, and what the stand-in would answer in a world. */
export interface Faulty {
  fault: Fault;
  asked: Pick<Asked, 'path'>;
  answer: (world: World) => Answer;
}

/** Returns what the stand-in answers instead. */
export function answerWith({ fault, asked, answer }: Faulty, world: World): Answer {
  switch (fault.kind) {
    case 'too_many_concurrent_requests':
      return { ...refusal(429, fault.kind, 'Too many concurrent requests.'), headers: waitHeaders(fault.wait) };
    case 'system_busy':
      return { ...refusal(429, fault.kind, 'The system is busy. Try again later.'), headers: waitHeaders(fault.wait) };
    case 'internal_error':
      return {
        status: 500,
        headers: { 'content-type': 'text/plain' },
        body: null,
        bytes: Buffer.from('Internal Error'),
      };
    case 'html':
      return { status: fault.status ?? 200, headers: { 'content-type': 'text/html' }, body: null, bytes: PAGE };
    case 'missing_permissions':
      return missingPermission(fault.permission);
    case 'invalid_api_key':
      return invalidKey();
    case 'forbidden':
      return refusal(403, 'forbidden', 'Your plan does not include this.');
    case 'not_found':
      return notFound('conversation', asked.path.split('/')[4] ?? '');
    case 'before':
      fault.run(world);
      return answer(world);
    case 'unlisted':
      return answer({
        ...world,
        conversations: new Map([...world.conversations].filter(([id]) => !fault.ids.includes(id))),
      });
    case 'no_cursor':
      return withoutCursor(answer(world));
    case 'cut':
    case 'stalled':
    case 'slow':
      return { ...answer(world), manner: fault };
  }
}

const PAGE = Buffer.from('<!doctype html><title>Just a moment…</title>');

function withoutCursor(answered: Answer): Answer {
  const body = typeof answered.body === 'object' ? answered.body : {};
  return { ...answered, body: { ...body, next_cursor: null, has_more: true } };
}

function waitHeaders(wait: Wait | undefined): Record<string, string> {
  if (wait === undefined) return {};
  const until = Date.now() + wait.seconds * 1000;
  switch (wait.as) {
    case 'retry-after':
      return { 'retry-after': String(wait.seconds) };
    case 'retry-after-date':
      return { 'retry-after': new Date(until).toUTCString() };
    case 'x-ratelimit-reset':
      return { 'x-ratelimit-reset': String(Math.ceil(until / 1000)) };
  }
}
