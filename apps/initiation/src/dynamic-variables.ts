import type { Caller } from '@landline/store';
import type { Variables } from './config.ts';

/** The longest text of a variable, in characters. */
const TEXT_LENGTH = 2_000;

/** How many attributes of a profile become variables. */
const MOST_ATTRIBUTES = 100;

/** Names that are ours or ElevenLabs' own: no attribute of a profile takes them. */
const RESERVED = /^(?:caller_|system__|secret__)/;

/** An agent may use each of these, and a call fails whose agent uses a variable that is missing. */
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
 * The variables of an answer: nothing known, over that the operator's defaults, over these what is known of the caller.
 *
 * @param caller  undefined: nothing.
 */
export function dynamicVariables(defaults: Variables, caller?: Caller): Variables {
  return { ...NOTHING_KNOWN, ...defaults, ...(caller && { ...attributesOf(caller), ...factsOf(caller) }) };
}

function factsOf({ language, dialect, personality, calls, lastSummary, lastCallAt }: Caller): Variables {
  const trait = personalityText(personality);
  return {
    caller_known: true,
    // A default dialect would be that of another language.
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

/** A text stays; of an object `tone: warm; pace: slow`, of a list `warm, patient`. What is nested is JSON. */
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

/** By characters, never through one. A character has two units at most, and the rest of a long text is not looked at. */
function cut(text: string): string {
  if (text.length <= TEXT_LENGTH) return text;
  const characters = Array.from(text.slice(0, TEXT_LENGTH * 2));
  return characters.slice(0, TEXT_LENGTH).join('');
}
