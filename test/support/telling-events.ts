import fc from 'fast-check';
import type { Json } from '@landline/webhook';
import type { Said, Spoken, Telling, ToldEvent } from './told-event.ts';

// Few of everything, so that events meet: at one time, in one conversation, under one id, of one user.
const BASE = Date.UTC(2026, 0, 5, 9);
export const time = fc.nat(4).map((seconds) => BASE + seconds * 1000);
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
  at: time,
  eventKey: fc.option(key),
  agent_id: fc.option(text, { nil: undefined }),
  user_id: fc.option(fc.constantFrom('u1', 'u2'), { nil: undefined }),
  extras,
});
/** What `common` makes. */
export type Common = typeof common extends fc.Arbitrary<infer T> ? T : never;

/** A user's profile, in an event that names the user. */
export const profile = partly<{ personality: string; user_profile: Said }>({ personality: text, user_profile: extras });
/** What `profile` makes. */
export type Profile = typeof profile extends fc.Arbitrary<infer T> ? T : never;

type Tells = Partial<Telling> & Pick<Telling, 'voice' | 'status'>;

/** Prints the event and says what it tells; `data` is what stands in its data beside the ids. */
export function tell(type: string, from: Common, data: object, tells: Tells | null): ToldEvent {
  const { conversationId, at, eventKey, agent_id, user_id } = from;
  const body = JSON.stringify({
    type,
    event_id: eventKey ?? undefined,
    event_timestamp: at / 1000,
    data: { ...from.extras, conversation_id: conversationId, agent_id, user_id, ...data },
  });
  const complete = tells && {
    metadata: {},
    turns: [],
    turnCalls: [],
    ...tells,
    conversation: said({ agent_id, user_id, ...tells.conversation }),
  };
  // Any few values do, as long as one body has always the same.
  const receivedAt = at + (body.length % 3) * 100;
  return { body, type, eventKey, conversationId, at, receivedAt, tells: complete };
}

/** Without the columns that are not named. */
export function said(columns: Record<string, Json | undefined>): Said {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
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

/** A time as Postgres prints it into JSON; times of these events are whole seconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', '+00:00');
}
