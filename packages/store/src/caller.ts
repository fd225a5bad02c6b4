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
  /** As it was told: a text, an object or anything else of JSON; null where nothing was. */
  personality: unknown;
  /** As they were told, scalar or not. */
  attributes: ReadonlyMap<string, unknown>;
  /** Conversations before this one, 1,000 at most. */
  calls: number;
  /** Of the latest conversation that has one. */
  lastSummary: string | null;
  /** When the latest conversation began. */
  lastCallAt: Date | null;
}

/** Something told, and the clock that orders those who told it. */
interface Told<T = unknown> {
  value: T;
  clock: string;
}

/** Where a conversation's metadata keeps what was told of the person while nobody was named. */
const PERSONALITY = 'personality';
const PROFILE = 'user_profile';

/** What of a `user_profile` says which language the person speaks, and is no attribute. */
const LANGUAGE = ['language', 'dialect'];

/**
 * Says what is known of a caller while one of their calls is ringing.
 *
 * Of two profiles that which was seen last comes first; the other fills in what it lacks. What was told in a call without naming the
 * person counts where it was told later than what the profile says.
 *
 * @returns  undefined where there is neither a profile nor an earlier conversation.
 */
export function describeCaller(found: FoundCaller, ringing: RingingCall): Caller | undefined {
  const isEarlier = ([id, callSid]: readonly [string, string | null, ...unknown[]]): boolean =>
    id !== ringing.conversationId && (callSid === null || callSid !== ringing.callSid);
  const calls = found.calls.filter(isEarlier);
  if (calls.length === 0 && !isKnownWithoutCalls(found)) return undefined;
  const recent = found.told.filter(({ id, call_sid }) => isEarlier([id, call_sid]));
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

type Spoken = Pick<FoundCaller['told'][number], 'language' | 'dialect' | 'dialects' | 'language_clock'>;

/** The language that a `user_profile` of nobody names. */
function profileIn({ facts }: FoundCaller['told'][number]): Spoken[] {
  const factOf = (name: string) => facts.find(([key]) => key === `${PROFILE}.${name}`);
  const [, tag, language_clock = null] = factOf('language') ?? [];
  const [, dialect] = factOf('dialect') ?? [];
  const spoken = isText(tag) ? readLanguage(tag, isText(dialect) ? dialect : undefined) : undefined;
  return spoken === undefined ? [] : [{ ...spoken, dialects: {}, language_clock }];
}

/** The language that was told last, and the dialect that was told together with it. */
function languageOf(profiles: Spoken[], recent: Spoken[]): Pick<Caller, 'language' | 'dialect'> {
  const known = profiles.find(({ language }) => language !== null);
  const rows = known === undefined ? recent : [known, ...recent];
  const standing = latest(rows.filter(({ language }) => language !== null).map((row) => told(row, row.language_clock)));
  const language = standing?.value.language ?? null;
  if (standing === undefined || language === null) return { language: null, dialect: null };
  const dialects = [standing.value, ...profiles, ...recent].map((row) => dialectIn(row, language));
  return { language, dialect: dialects.find(isText) ?? null };
}

function dialectIn(row: Spoken, language: string): unknown {
  const own = Object.hasOwn(row.dialects, language) ? row.dialects[language] : undefined;
  // A worker of a version before `dialects` has told the column alone.
  return own ?? (row.language === language ? row.dialect : undefined);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

type Facts = FoundCaller['told'][number]['facts'];

function personalityOf({ profiles }: FoundCaller, facts: Facts): unknown {
  const known = profiles.find(({ personality }) => isSaid(personality));
  const said = facts.filter(([key, value]) => key === PERSONALITY && isSaid(value));
  const candidates = [
    ...(known === undefined ? [] : [told(known.personality, known.personality_clock)]),
    ...said.map(([, value, clock]) => told(value, clock)),
  ];
  return latest(candidates)?.value ?? null;
}

function isSaid(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function attributesOf({ profiles }: FoundCaller, facts: Facts): ReadonlyMap<string, unknown> {
  const attributes = new Map<string, Told>();
  for (const { attributes: own, attributes_clocks: clocks } of profiles) {
    for (const [name, value] of Object.entries(own)) {
      const clock = Object.hasOwn(clocks, name) ? clocks[name] : undefined;
      if (!attributes.has(name)) attributes.set(name, told(value, isText(clock) ? clock : null));
    }
  }
  for (const [key, whole, clock] of facts) {
    for (const [name, value] of attributesIn(key, whole)) {
      const known = attributes.get(name);
      const said = told(value, clock);
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

/** Of a person the later word counts, told live or in the account of a finished call. */
function told<T>(value: T, clock: string | null): Told<T> {
  return { value, clock: cappedClock('live', (clock ?? '').replaceAll('-', '')) };
}

/** That with the greatest clock; of equals the first. */
function latest<T extends Told>(candidates: readonly T[]): T | undefined {
  let standing: T | undefined;
  for (const next of candidates) if (standing === undefined || next.clock > standing.clock) standing = next;
  return standing;
}

function dateOf(seconds: number | null | undefined): Date | null {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? null : date;
}
