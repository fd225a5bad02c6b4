import { phoneNumber } from '@landline/webhook/phone-number';
import type { Person } from '@landline/store';

/** A shorter user id is looked for only in fields that hold users: "17" is also a number of other things. */
const LEAST_CHARACTERS = 6;

/** The names of fields that hold users. */
const USER_FIELD = /user|caller|customer|client|person|from/i;

/** Numbers of fewer digits are extensions, or counts. */
const LEAST_DIGITS = 7;

/** Tells whether bytes name a person. */
export type NamesPerson = (bytes: Buffer) => boolean;

/**
 * Makes what tells whether a body names a person, for bodies whose events nobody can apply: by a value that is a conversation's id, the user's id or the number, in
 * whatever form. A body that is no JSON names a person where such a word stands in it by itself.
 *
 * It looks at whole values alone: what people say about others is no reason to forget their events.
 */
export function namesPerson({ conversations, users, numbers }: Person): NamesPerson {
  const ids = new Set(conversations);
  const people = new Set(users);
  const dialled = new Set(numbers.map(phoneNumber));

  function isNamed(value: string, field: string): boolean {
    if (ids.has(value)) return true;
    if (people.has(value)) return value.length >= LEAST_CHARACTERS || USER_FIELD.test(field);
    return dialled.size > 0 && value.length <= 256 && dialled.has(phoneNumber(value));
  }

  function names(value: unknown, field: string): boolean {
    if (typeof value === 'string') return isNamed(value, field);
    if (typeof value === 'number') return USER_FIELD.test(field) && people.has(String(value));
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(([name, each]) => names(each, Array.isArray(value) ? field : name));
  }

  const words = [
    ...[...ids, ...people].filter((word) => word.length >= LEAST_CHARACTERS),
    ...[...dialled].filter((number) => number.length >= LEAST_DIGITS),
  ];
  return (bytes) => {
    const text = bytes.toString();
    try {
      return names(JSON.parse(text), '');
    } catch {
      return words.some((word) => standsAlone(word, text));
    }
  };
}

/** Tells whether a word stands in a text, and is no part of a longer one. */
function standsAlone(word: string, text: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetter(text[at - 1]) && !isLetter(text[at + word.length])) return true;
  }
  return false;
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
