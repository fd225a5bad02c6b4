/** What people and programs put into a number: white space, punctuation, marks of the direction of writing. */
const DECORATION = /[\s().\u200b-\u200f\u202a-\u202e\u2066-\u2069-]/g;
const DIALLED = /^\+?\d{3,}$/;

/** The user part of a SIP address or a `tel:` URI, also within `"Name" <…>;tag=…`. */
const ADDRESS = /^(?:[^<]*<)?\s*(sips?|tel):([^@;?>\s]*)/i;

/** In a SIP address fewer digits than this, with no plus before them, are an extension of that host's, not a number. */
const SHORTEST_IN_ADDRESS = 7;

/**
 * The digits that withheld numbers are dialled out as: the words anonymous, unavailable, unknown, blocked and restricted on
 * a telephone's keys. Only with the plus: without it 7378742833 is somebody in Texas.
 */
const WITHHELD: ReadonlySet<string> = new Set(['+266696687', '+86282452253', '+8656696', '+2562533', '+7378742833']);

/** What stands in the place of a number that is withheld. */
const WITHHELD_WORDS: ReadonlySet<string> = new Set([
  'anonymous',
  'unknown',
  'restricted',
  'private',
  'unavailable',
  'withheld',
]);

/**
 * A phone number in one form: without the spaces and punctuation that people put into it, and taken out of the SIP address
 * or `tel:` URI whose user part it is, so that one caller is one caller over any trunk. What is no number (`anonymous`,
 * sip:alice@example.com, an extension) stays as it came; no plus sign is invented.
 */
export function phoneNumber(text: string): string {
  const plain = text.replace(DECORATION, '');
  if (DIALLED.test(plain)) return plain;
  const [, scheme, user] = ADDRESS.exec(text) ?? [];
  if (scheme === undefined || user === undefined) return text;
  const digits = user.replace(/%2b/gi, '+').replace(DECORATION, '');
  const isNumber = DIALLED.test(digits) && (digits.startsWith('+') || digits.length >= SHORTEST_IN_ADDRESS);
  return isNumber ? digits : text;
}

/**
 * Whether a number, as `phoneNumber` gives it, names one caller. A withheld one (`anonymous`, sip:restricted@host, or the
 * digits that such a word is dialled out as) names everybody who hides.
 */
export function namesCaller(number: string): boolean {
  return DIALLED.test(number) && !WITHHELD.has(number);
}

/**
 * Whether a text in the place of a user's id is a withheld number: bridges copy the caller's number there. In any case of its
 * letters, also as the user part of a SIP address.
 */
export function isWithheld(text: string): boolean {
  const [, , user = text] = ADDRESS.exec(text) ?? [];
  return WITHHELD_WORDS.has(user.trim().toLowerCase()) || WITHHELD.has(phoneNumber(text));
}
