import fc from 'fast-check';
import type { Json } from '@landline/webhook/json';
import type { Columns, DescribedEvent, EventFacts, Spoken } from './described-event.ts';

// Few values of everything, so that events share a time, a conversation, an id or a user.
const BASE = Date.UTC(2026, 0, 5, 9);
/** A time: mostly whole seconds, as most senders write them; some half seconds. */
export const time = fc.oneof(
  { arbitrary: fc.nat(4).map((seconds) => BASE + seconds * 1000), weight: 3 },
  fc.nat(4).map((halves) => BASE + halves * 500),
);
/** When each delivery is signed and received, in unix milliseconds. An event that names no time has this time. */
export const SIGNED_AT = BASE + 5000;
/** A role: mostly one of the provider's own; the others come from bridges. */
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

/** Reads a role. Returns the value of the column, and what stays among the details: a role that Landline does not know. */
export function speaker(spokenBy: string): { role: string | null; kept: Columns } {
  const known = ROLES[spokenBy];
  return known === undefined ? { role: null, kept: { role: spokenBy } } : { role: known, kept: {} };
}
/** A short text. */
export const text = fc.constantFrom('a', 'b', 'c');
/** A small number. */
export const count = fc.nat(3);
/** True or false. */
export const flag = fc.boolean();
/** An id of an event, a message, a tool call or a command. */
export const key = fc.constantFrom('k1', 'k2');
/** A telephone number. */
export const phone = fc.constantFrom('+12025550101', '+12025550102');
/** Fields that no handler knows. */
export const extras: fc.Arbitrary<Columns> = fc.dictionary(
  fc.constantFrom('x', 'y', 'z'),
  fc.oneof(text, count, fc.constant<Json>({ deep: ['ü'] })),
  {
    maxKeys: 2,
  },
);
/** The language and dialect of each tag. */
export const LANGUAGES: Record<string, [language: string, dialect: string | null]> = {
  'ar-EG': ['ar', 'eg'],
  'ar-SA': ['ar', 'sa'],
  ar: ['ar', null],
  pt_br: ['pt', 'br'],
  pt: ['pt', null],
  en: ['en', null],
};
/** A language tag; the last two values name no language. */
export const tag = fc.constantFrom('ar-EG', 'ar-SA', 'ar', 'pt_br', 'pt', 'en', 'unknown', 'auto');

/** Makes objects of the shape, with any of its keys left out. */
export const partly = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T, never>(shape, { requiredKeys: [] });

/** The fields that every event has. */
export const common = fc.record({
  conversationId: fc.constantFrom('conv_1', 'conv_2', 'conv_3'),
  at: fc.oneof({ arbitrary: time, weight: 9 }, fc.constant(SIGNED_AT)),
  eventKey: fc.option(key),
  agent_id: fc.option(text, { nil: undefined }),
  user_id: fc.option(fc.constantFrom('u1', 'u2'), { nil: undefined }),
  extras,
  /** Whether the event has a null in each field that it does not know. */
  hasNulls: fc.boolean(),
});
/** The value of `common`. */
export type Common = typeof common extends fc.Arbitrary<infer T> ? T : never;

/** A user's profile, in an event that names the user. */
export const profile = partly<{ personality: string; user_profile: Columns }>({
  personality: text,
  user_profile: extras,
});
/** The value of `profile`. */
export type Profile = typeof profile extends fc.Arbitrary<infer T> ? T : never;

type PartialFacts = Partial<EventFacts> & Pick<EventFacts, 'authority' | 'status'>;

/** Fields that a handler reads; a handler treats null as missing. */
const NULLS = Object.fromEntries(
  'agent_id user_id personality user_profile language dialect message tool_name parameters result is_error command summary'
    .split(' ')
    .map((name) => [name, null]),
);

/**
 * Makes an event: its body and the facts in it. `data` is the event's data beside the ids.
 *
 * An event at the signature's time names no time of its own where it has an id. An event with neither would have only its
 * signature to distinguish its deliveries.
 */
export function describeEvent(type: string, from: Common, data: object, facts: PartialFacts | null): DescribedEvent {
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
  const complete = facts && {
    metadata: {},
    turns: [],
    turnCalls: [],
    ...facts,
    conversation: definedColumns({ agent_id, user_id, ...facts.conversation }),
  };
  // Few values, and always the same one for a body. A live event that names no time happened when it was received.
  const receivedAt = at === SIGNED_AT ? at : at + (body.length % 3) * 100;
  return { body, type, eventKey, conversationId, at, receivedAt, facts: complete };
}

/** Returns the columns whose value is not undefined. */
export function definedColumns(columns: Record<string, Json | undefined>): Columns {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Returns the fields that are not undefined: a field that is undefined must not replace a null. */
function definedIn(data: object): object {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

/** Returns the language and dialect that a tag names, with their authority and time; nothing where the tag names no language. */
export function spokenIn(name: string | undefined, authority: Spoken['authority'], at: number): { spoken?: Spoken } {
  const [language, dialect] = LANGUAGES[name ?? ''] ?? [];
  return language === undefined ? {} : { spoken: { language, dialect: dialect ?? null, authority, at } };
}

/** Returns the language field where its word names no language: it stays among metadata or details. */
export function unread(language: string | undefined): Columns {
  return language === undefined || LANGUAGES[language] ? {} : { language };
}

/** Returns the user of an event: by id, else by number. */
export function userOf({ user_id }: Common, about: Profile = {}, number?: string): Pick<EventFacts, 'user'> {
  const named = user_id ?? number;
  if (named === undefined) return {};
  return {
    user: {
      key: named,
      attributes: about.user_profile ?? {},
      ...(about.personality !== undefined && { personality: about.personality }),
      ...(number !== undefined && { phone: number }),
    },
  };
}

/** Returns the profile where the event names the user's id, else none: a sender has no profile of an unknown user. */
export const withProfile = (from: Common, about: Profile): Profile => (from.user_id === undefined ? {} : about);

/** Prints a time as Postgres prints it into JSON. */
export function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, '+00:00');
}
