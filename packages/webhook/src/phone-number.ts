/** Characters that people and programs add to a number: white space, punctuation, marks of writing direction. */
const DECORATION = /[\s().\u200b-\u200f\u202a-\u202e\u2066-\u2069-]/g;
const DIALLED = /^\+?\d{3,}$/;

/** Full-width digits and plus sign, and the digits of Arabic and of Persian: the last four bits of each digit are its value. */
const OTHER_DIGITS = /[\uff0b\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]/g;

/** The user part of a SIP address, of a `tel:` URI or of a WhatsApp address, also within `"Name" <…>;tag=…`. */
const ADDRESS = /^(?:[^<]*<)?\s*(sips?|tel|whatsapp):([^@;?>\s]*)/i;

/**
 * The least number of digits of a number in a SIP address without a plus. Fewer digits are an extension of that host.
 */
const SHORTEST_IN_ADDRESS = 7;

/**
 * The digits of withheld numbers: the words anonymous, unavailable, unknown, blocked and restricted on a telephone's
 * keys. Without the plus 7378742833 is a number in Texas.
 */
const WITHHELD: ReadonlySet<string> = new Set(['+266696687', '+86282452253', '+8656696', '+2562533', '+7378742833']);

/** Words in the place of a withheld number. */
const WITHHELD_WORDS: ReadonlySet<string> = new Set([
  'anonymous',
  'unknown',
  'restricted',
  'private',
  'unavailable',
  'withheld',
]);

/**
 * Returns a phone number in one form, so that a caller has one number over any trunk.
 *
 * - Spaces and punctuation are removed.
 * - A number in a SIP address, a `tel:` URI or behind `whatsapp:` is taken out of it.
 * - Full-width, Arabic and Persian digits become ASCII ones.
 * - A text that is no number stays as it is: `anonymous`, sip:alice@example.com, an extension.
 * - No plus sign is added, not even for `00`: what a trunk means by it is its own.
 * - A number with an extension stays as it is: several people may have it.
 */
export function phoneNumber(text: string): string {
  const written = text.replace(OTHER_DIGITS, (digit) => (digit === '\uff0b' ? '+' : String(digit.charCodeAt(0) & 0xf)));
  const plain = written.replace(DECORATION, '');
  if (DIALLED.test(plain)) return plain;
  const [, scheme, user] = ADDRESS.exec(written) ?? [];
  if (scheme === undefined || user === undefined) return text;
  const digits = user.replace(/%2b/gi, '+').replace(DECORATION, '');
  const isNumber = DIALLED.test(digits) && (digits.startsWith('+') || digits.length >= SHORTEST_IN_ADDRESS);
  return isNumber ? digits : text;
}

/**
 * Returns whether a number, as `phoneNumber` returns it, identifies one caller. A withheld number does not: all callers
 * who withhold theirs share it.
 */
export function namesCaller(number: string): boolean {
  return DIALLED.test(number) && !WITHHELD.has(number);
}

/**
 * Returns whether the text in a user id's place is a withheld number: bridges copy the caller's number there. Case does
 * not matter, and the number may be the user part of a SIP address.
 */
export function isWithheld(text: string): boolean {
  const [, , user = text] = ADDRESS.exec(text) ?? [];
  return WITHHELD_WORDS.has(user.trim().toLowerCase()) || WITHHELD.has(phoneNumber(text));
}
