import fc from 'fast-check';
import type { Json } from '@landline/webhook/json';
import type { Said, Spoken, Telling, ToldEvent } from './told-event.ts';

// Few of everything, so that events meet: at one time, in one conversation, under one id, of one user.
const BASE = Date.UTC(2026, 0, 5, 9);
/** Whole seconds, as most senders write them, and times between. */
export const time = fc.oneof(
  { arbitrary: fc.nat(4).map((seconds) => BASE + seconds * 1000), weight: 3 },
  fc.nat(4).map((halves) => BASE + halves * 500),
);
/** When each delivery is signed and received, in unix milliseconds: the time of an event that names none. */
export const SIGNED_AT = BASE + 5000;
/** Mostly the provider's own roles; the others come from bridges. */
export const anyRole = fc.constantFrom(
  'user',
  'agent',
  'user',
  'agent',
  'user',
  'agent',
  'system',
  'assistant',
  'moderator',
);
const ROLES: Record<string, string> = { user: 'user', agent: 'agent', assistant: 'agent', system: 'system' };

/** What the columns keep of a role: one that nobody knows stays among the details. */
export function speaker(spokenBy: string): { role: string | null; kept: Said } {
  const known = ROLES[spokenBy];
  return known === undefined ? { role: null, kept: { role: spokenBy } } : { role: known, kept: {} };
}
export const text = fc.constantFrom('a', 'b', 'c');
export const count = fc.nat(3);
export const flag = fc.boolean();
export const key = fc.constantFrom('k1', 'k2');
export const phone = fc.constantFrom('+12025550101', '+12025550102');
export const extras: fc.Arbitrary<Said> = fc.dictionary(
  fc.constantFrom('x', 'y', 'z'),
  fc.oneof(text, count, fc.constant<Json>({ deep: ['ü'] })),
  {
    maxKeys: 2,
  },
);
export const LANGUAGES: Record<string, [language: string, dialect: string | null]> = {
  'ar-EG': ['ar', 'eg'],
  'ar-SA': ['ar', 'sa'],
  ar: ['ar', null],
  pt_br: ['pt', 'br'],
  pt: ['pt', null],
  en: ['en', null],
};
/** Of these the last two name no language. */
export const tag = fc.constantFrom('ar-EG', 'ar-SA', 'ar', 'pt_br', 'pt', 'en', 'unknown', 'auto');

/** The shape with any of its keys left out. */
export const partly = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T, never>(shape, { requiredKeys: [] });

/** What every event has. */
export const common = fc.record({
  conversationId: fc.constantFrom('conv_1', 'conv_2', 'conv_3'),
  at: fc.oneof({ arbitrary: time, weight: 9 }, fc.constant(SIGNED_AT)),
  eventKey: fc.option(key),
  agent_id: fc.option(text, { nil: undefined }),
  user_id: fc.option(fc.constantFrom('u1', 'u2'), { nil: undefined }),
  extras,
  /** Whether it says null of what it does not know. */
  hasNulls: fc.boolean(),
});
/** What `common` makes. */
export type Common = typeof common extends fc.Arbitrary<infer T> ? T : never;

/** A user's profile, in an event that names the user. */
export const profile = partly<{ personality: string; user_profile: Said }>({ personality: text, user_profile: extras });
/** What `profile` makes. */
export type Profile = typeof profile extends fc.Arbitrary<infer T> ? T : never;

type Tells = Partial<Telling> & Pick<Telling, 'voice' | 'status'>;

/** Fields that a handler reads; a null in one says nothing. */
const NULLS = Object.fromEntries(
  'agent_id user_id personality user_profile language dialect message tool_name parameters result is_error command summary'
    .split(' ')
    .map((name) => [name, null]),
);

/**
 * Prints the event and says what it tells; `data` is what stands in its data beside the ids. One at the signature's time names
 * no time of its own, if it has an id: without either its deliveries would be told apart by nothing but their signatures.
 */
export function tell(type: string, from: Common, data: object, tells: Tells | null): ToldEvent {
  const { conversationId, at, eventKey, agent_id, user_id } = from;
  const body = JSON.stringify({
    type,
    event_id: eventKey ?? undefined,
    event_timestamp: at === SIGNED_AT && eventKey !== null ? undefined : at / 1000,
    data: {
      ...(from.hasNulls ? NULLS : {}),
      ...from.extras,
      conversation_id: conversationId,
      ...definedIn({ agent_id, user_id, ...data }),
    },
  });
  const complete = tells && {
    metadata: {},
    turns: [],
    turnCalls: [],
    ...tells,
    conversation: said({ agent_id, user_id, ...tells.conversation }),
  };
  // Any few values do, as long as one body has always the same. A live event that names no time stands where it was received.
  const receivedAt = at === SIGNED_AT ? at : at + (body.length % 3) * 100;
  return { body, type, eventKey, conversationId, at, receivedAt, tells: complete };
}

/** Without the columns that are not named. */
export function said(columns: Record<string, Json | undefined>): Said {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What is undefined must not hide a null. */
function definedIn(data: object): object {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

export function spokenIn(name: string | undefined, voice: Spoken['voice'], at: number): { spoken?: Spoken } {
  const [language, dialect] = LANGUAGES[name ?? ''] ?? [];
  return language === undefined ? {} : { spoken: { language, dialect: dialect ?? null, voice, at } };
}

/** A word that names no language stays where it stood. */
export function unread(language: string | undefined): Said {
  return language === undefined || LANGUAGES[language] ? {} : { language };
}

/** The user an event tells of: by id, else by their number. */
export function userOf({ user_id }: Common, told: Profile = {}, number?: string): Pick<Telling, 'user'> {
  const named = user_id ?? number;
  if (named === undefined) return {};
  return {
    user: {
      key: named,
      attributes: told.user_profile ?? {},
      ...(told.personality !== undefined && { personality: told.personality }),
      ...(number !== undefined && { phone: number }),
    },
  };
}

/** A profile is told only beside the user's id. */
export const withProfile = (from: Common, told: Profile): Profile => (from.user_id === undefined ? {} : told);

/** A time as Postgres prints it into JSON. */
export function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, '+00:00');
}
