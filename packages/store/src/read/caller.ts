import { cappedClock } from '@landline/webhook/clock';
import { readLanguage } from '@landline/webhook/language';
import { MOST_CALLS } from './caller-statement.ts';
import type { FoundCaller } from './found-caller.ts';

/** The call that is ringing, as far as it has names. It is none of the caller's earlier calls. */
export interface RingingCall {
  conversationId?: string | undefined;
  callSid?: string | undefined;
}

/** What is known of a caller. */
export interface Caller {
  language: string | null;
  /** That of the language; null where only the language is known. */
  dialect: string | null;
  /** As it was reported: a text, an object or anything else of JSON; null where nothing was. */
  personality: unknown;
  /** As they were reported, scalar or not. */
  attributes: ReadonlyMap<string, unknown>;
  /** Conversations before this one, 1,000 at most. */
  calls: number;
  /** Of the latest conversation that has one. */
  lastSummary: string | null;
  /** When the latest conversation began. */
  lastCallAt: Date | null;
}

/** A value that somebody reported, and the clock that orders the reports. */
interface Reported<T = unknown> {
  value: T;
  clock: string;
}

/** Where a conversation's metadata keeps what was said of the person while nobody was named. */
const PERSONALITY = 'personality';
const PROFILE = 'user_profile';

/** What of a `user_profile` says which language the person speaks, and is no attribute. */
const LANGUAGE = ['language', 'dialect'];

/**
 * Says what is known of a caller while one of their calls is ringing.
 *
 * Of two profiles that which was seen last comes first; the other fills in what it lacks. What was said in a call without naming the
 * person counts where it was said later than what the profile says.
 *
 * @returns  undefined where there is neither a profile nor an earlier conversation.
 */
export function describeCaller(found: FoundCaller, ringing: RingingCall): Caller | undefined {
  const isEarlier = ([id, callSid]: readonly [string, string | null, ...unknown[]]): boolean =>
    id !== ringing.conversationId && (callSid === null || callSid !== ringing.callSid);
  const calls = found.calls.filter(isEarlier);
  if (calls.length === 0 && !isKnownWithoutCalls(found)) return undefined;
  const recent = found.recent.filter(({ id, call_sid }) => isEarlier([id, call_sid]));
  const facts = recent.flatMap((call) => call.facts);
  return {
    ...languageOf(
      found.profiles,
      recent.flatMap((call) => [call, ...profileIn(call)]),
    ),
    personality: personalityOf(found, facts),
    attributes: attributesOf(found, facts),
    calls: Math.min(calls.length, MOST_CALLS),
    lastSummary: found.summaries.find(isEarlier)?.[2] ?? null,
    lastCallAt: dateOf(calls[0]?.[2]),
  };
}

/** A profile that says nothing, beside the call that is ringing alone, was made by that call. */
function isKnownWithoutCalls({ profiles, calls }: FoundCaller): boolean {
  if (calls.length === 0) return profiles.length > 0;
  return profiles.some(
    ({ language, personality, attributes }) =>
      language !== null || isSaid(personality) || Object.keys(attributes).length > 0,
  );
}

type Spoken = Pick<FoundCaller['recent'][number], 'language' | 'dialect' | 'dialects' | 'language_clock'>;

/** The language that a `user_profile` of nobody names. */
function profileIn({ facts }: FoundCaller['recent'][number]): Spoken[] {
  const factOf = (name: string) => facts.find(([key]) => key === `${PROFILE}.${name}`);
  const [, tag, language_clock = null] = factOf('language') ?? [];
  const [, dialect] = factOf('dialect') ?? [];
  const spoken = isText(tag) ? readLanguage(tag, isText(dialect) ? dialect : undefined) : undefined;
  return spoken === undefined ? [] : [{ ...spoken, dialects: {}, language_clock }];
}

/** The language that was reported last, and the dialect that was reported together with it. */
function languageOf(profiles: Spoken[], recent: Spoken[]): Pick<Caller, 'language' | 'dialect'> {
  const known = profiles.find(({ language }) => language !== null);
  const rows = known === undefined ? recent : [known, ...recent];
  const standing = latest(
    rows.filter(({ language }) => language !== null).map((row) => reported(row, row.language_clock)),
  );
  const language = standing?.value.language ?? null;
  if (standing === undefined || language === null) return { language: null, dialect: null };
  const dialects = [standing.value, ...profiles, ...recent].map((row) => dialectIn(row, language));
  return { language, dialect: dialects.find(isText) ?? null };
}

function dialectIn(row: Spoken, language: string): unknown {
  const own = Object.hasOwn(row.dialects, language) ? row.dialects[language] : undefined;
  // A worker of a version before `dialects` has set the column alone.
  return own ?? (row.language === language ? row.dialect : undefined);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

type Facts = FoundCaller['recent'][number]['facts'];

function personalityOf({ profiles }: FoundCaller, facts: Facts): unknown {
  const known = profiles.find(({ personality }) => isSaid(personality));
  const said = facts.filter(([key, value]) => key === PERSONALITY && isSaid(value));
  const candidates = [
    ...(known === undefined ? [] : [reported(known.personality, known.personality_clock)]),
    ...said.map(([, value, clock]) => reported(value, clock)),
  ];
  return latest(candidates)?.value ?? null;
}

function isSaid(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function attributesOf({ profiles }: FoundCaller, facts: Facts): ReadonlyMap<string, unknown> {
  const attributes = new Map<string, Reported>();
  for (const { attributes: own, attributes_clocks: clocks } of profiles) {
    for (const [name, value] of Object.entries(own)) {
      const clock = Object.hasOwn(clocks, name) ? clocks[name] : undefined;
      if (!attributes.has(name)) attributes.set(name, reported(value, isText(clock) ? clock : null));
    }
  }
  for (const [key, whole, clock] of facts) {
    for (const [name, value] of attributesIn(key, whole)) {
      const known = attributes.get(name);
      const said = reported(value, clock);
      attributes.set(name, known === undefined ? said : (latest([known, said]) ?? said));
    }
  }
  return new Map([...attributes].map(([name, { value }]) => [name, value]));
}

/** `user_profile.<name>`; earlier versions kept all of it under `user_profile`. */
function attributesIn(key: string, value: unknown): [name: string, value: unknown][] {
  const name = key.startsWith(`${PROFILE}.`) ? key.slice(PROFILE.length + 1) : '';
  if (name !== '') return LANGUAGE.includes(name) ? [] : [[name, value]];
  if (key !== PROFILE || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value);
}

/** Of a person the later word counts, reported live or in the account of a finished call. */
function reported<T>(value: T, clock: string | null): Reported<T> {
  return { value, clock: cappedClock('live', (clock ?? '').replaceAll('-', '')) };
}

/** That with the greatest clock; of equals the first. */
function latest<T extends Reported>(candidates: readonly T[]): T | undefined {
  let standing: T | undefined;
  for (const next of candidates) if (standing === undefined || next.clock > standing.clock) standing = next;
  return standing;
}

function dateOf(seconds: number | null | undefined): Date | null {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? null : date;
}
