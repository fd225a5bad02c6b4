import { SIGNATURE_HEADER } from '@landline/webhook';
import type { SignatureHeader } from '../signature-header.ts';

/** So many headers are kept, and so many characters of each and of all of them. */
const MAX_HEADERS = 32;
const MAX_VALUE_CHARACTERS = 512;
const MAX_CHARACTERS = 4096;

/** So many characters of the signature header are kept: of each where it was repeated, and of so many. */
const MAX_SIGNATURE_CHARACTERS = 2048;
const MAX_REPEATS = 8;

/** Headers that hold a secret, by their names: Authorization, Cookie, X-Api-Key, X-Landline-Token and the like. */
const SECRET = /auth|cookie|token|secret|api-?key|passw|credential|session|jwt/;

/**
 * Returns the headers of a refused request that are kept: without those that hold a secret, and without the signature header. Their names are
 * in lower case; the values of a repeated one are joined.
 *
 * @param rawHeaders  As Node has them: each name, and its value behind it.
 */
export function keptHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const kept = new Map<string, string>();
  let characters = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (name === SIGNATURE_HEADER || SECRET.test(name)) continue;
    const value = (rawHeaders[i + 1] ?? '').slice(0, MAX_VALUE_CHARACTERS);
    characters += name.length + value.length;
    if (characters > MAX_CHARACTERS || (kept.size === MAX_HEADERS && !kept.has(name))) break;
    const before = kept.get(name);
    kept.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(kept);
}

/** Returns what is kept of the signature header; null where it was missing. */
export function keptSignature(header: SignatureHeader): string | string[] | null {
  if (header === undefined) return null;
  if (typeof header === 'string') return header.slice(0, MAX_SIGNATURE_CHARACTERS);
  return header.slice(0, MAX_REPEATS).map((each) => each.slice(0, MAX_SIGNATURE_CHARACTERS));
}
