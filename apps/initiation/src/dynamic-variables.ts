import type { Caller } from '@landline/store';
import type { Variables } from './config.ts';

/** The longest text of a variable, in characters. */
const TEXT_LENGTH = 2_000;

/** How many attributes of a profile become variables at most. */
const MOST_ATTRIBUTES = 100;

/** Names that belong to Landline or to ElevenLabs: an attribute of a profile with such a name is left out. */
const RESERVED = /^(?:caller_|system__|secret__)/;

/** The variables of an unknown caller. Every answer has them all: a call fails whose agent uses a missing variable. */
const NOTHING_KNOWN: Variables = {
  caller_known: false,
  caller_language: '',
  caller_dialect: '',
  caller_personality: '',
  caller_calls: 0,
  caller_last_summary: '',
  caller_last_call_at: '',
};

/**
 * Makes the variables of an answer. Later ones replace earlier ones: those of an unknown caller, the operator's defaults, the
 * caller's attributes, the facts about the caller.
 *
 * @param caller  undefined: the caller is unknown.
 */
export function dynamicVariables(defaults: Variables, caller?: Caller): Variables {
  return { ...NOTHING_KNOWN, ...defaults, ...(caller && { ...attributesOf(caller), ...factsOf(caller) }) };
}

function factsOf({ language, dialect, personality, calls, lastSummary, lastCallAt }: Caller): Variables {
  const trait = personalityText(personality);
  return {
    caller_known: true,
    // A default dialect may belong to another language.
    ...(language && { caller_language: cut(language), caller_dialect: cut(dialect ?? '') }),
    ...(trait && { caller_personality: cut(trait) }),
    caller_calls: calls,
    ...(lastSummary && { caller_last_summary: cut(lastSummary) }),
    ...(lastCallAt && { caller_last_call_at: lastCallAt.toISOString() }),
  };
}

function attributesOf({ attributes }: Caller): Variables {
  const scalars = [...attributes].flatMap(([name, value]): [string, string | number | boolean][] => {
    if (name === '' || RESERVED.test(name)) return [];
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [];
  });
  const first = scalars.slice(0, MOST_ATTRIBUTES);
  return Object.fromEntries(first.map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]));
}

/**
 * Prints a personality as text; a value inside an object or a list is printed as JSON where it is no text.
 *
 * - a text: as it is
 * - an object: `tone: warm; pace: slow`
 * - a list: `warm, calm`
 */
function personalityText(personality: unknown): string {
  if (Array.isArray(personality)) return personality.map(wordOf).filter(Boolean).join(', ');
  if (typeof personality !== 'object' || personality === null) return wordOf(personality);
  const traits = Object.entries(personality).map(([name, value]) => [name, wordOf(value)]);
  return traits.flatMap(([name, word]) => (word === '' ? [] : [`${name}: ${word}`])).join('; ');
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Cuts a text between two characters. It reads only twice the length in UTF-16 units: a character has two at most. */
function cut(text: string): string {
  if (text.length <= TEXT_LENGTH) return text;
  const characters = Array.from(text.slice(0, TEXT_LENGTH * 2));
  return characters.slice(0, TEXT_LENGTH).join('');
}
