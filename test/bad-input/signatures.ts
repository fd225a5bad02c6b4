import { sign } from '@landline/webhook';
import { SECRET, signed, unixSeconds } from '../support/post.ts';

/** The secret before `SECRET`, which the receiver still accepts. */
export const OLD_SECRET = 'wsec_old_0123456789abcdef0123456789';

const STALE_SECONDS = 3600;

/** A signature header with a fault, or an unusual one without. */
export interface SignatureRow {
  name: string;
  /** Makes the header's value for the body to send: undefined for no header, an array for several. */
  header: (body: Buffer) => string | string[] | undefined;
}

/** A header with a fault, and the code of its 401. */
export interface RefusedSignature extends SignatureRow {
  code: 'signature_missing' | 'signature_malformed' | 'signature_mismatch' | 'signature_expired';
}

const good = (body: Buffer) => sign(body, SECRET, unixSeconds());
const digits = (body: Buffer, at = unixSeconds()) => sign(body, SECRET, at).split('v0=')[1] ?? '';
const at = (seconds: number) => (body: Buffer) => sign(body, SECRET, unixSeconds() + seconds);
const named = (t: string) => (body: Buffer) => `t=${t},v0=${digits(body)}`;
const rePrinted = (body: Buffer) => JSON.stringify(JSON.parse(body.toString()), undefined, 1);

/** Every known fault of the header. */
export const REFUSED_SIGNATURES: readonly RefusedSignature[] = [
  { name: 'absent', header: () => undefined, code: 'signature_missing' },
  { name: 'empty', header: () => '', code: 'signature_missing' },
  { name: 'only spaces', header: () => '   ', code: 'signature_missing' },
  { name: 'sent twice', header: (body) => [good(body), good(body)], code: 'signature_malformed' },
  { name: 'sent twice, one wrong', header: (body) => [good(body), 'x'], code: 'signature_malformed' },
  { name: 'without t', header: (body) => `v0=${digits(body)}`, code: 'signature_malformed' },
  { name: 'with an empty t', header: named(''), code: 'signature_malformed' },
  { name: 'with a t that is no number', header: named('now'), code: 'signature_malformed' },
  { name: 'with a hexadecimal t', header: named('0x65'), code: 'signature_malformed' },
  { name: 'with an exponent in t', header: named('1e9'), code: 'signature_malformed' },
  { name: 'with a fraction in t', header: named('1760000000.5'), code: 'signature_malformed' },
  { name: 'with a negative t', header: named('-1760000000'), code: 'signature_malformed' },
  { name: 'with a signed t', header: named(`+${unixSeconds()}`), code: 'signature_malformed' },
  { name: 'with a t of a hundred digits', header: named('1'.repeat(100)), code: 'signature_malformed' },
  { name: 'with two t', header: (body) => `t=1,${good(body)}`, code: 'signature_malformed' },
  { name: 'without v0', header: () => `t=${unixSeconds()}`, code: 'signature_malformed' },
  { name: 'with an empty v0', header: () => `t=${unixSeconds()},v0=`, code: 'signature_malformed' },
  { name: 'with a short v0', header: (body) => good(body).slice(0, -1), code: 'signature_malformed' },
  { name: 'with a long v0', header: (body) => `${good(body)}zz`, code: 'signature_malformed' },
  { name: 'in upper case', header: (body) => good(body).toUpperCase(), code: 'signature_malformed' },
  {
    name: 'with upper-case digits',
    header: (body) => `t=${unixSeconds()},v0=${digits(body).toUpperCase()}`,
    code: 'signature_malformed',
  },
  { name: 'with spaces about =', header: (body) => good(body).replaceAll('=', ' = '), code: 'signature_malformed' },
  { name: 'of another scheme', header: (body) => good(body).replace('v0=', 'v1='), code: 'signature_malformed' },
  { name: 'of another service', header: (body) => `sha256=${digits(body)}`, code: 'signature_malformed' },
  { name: 'of ten thousand parts', header: () => ','.repeat(10_000), code: 'signature_malformed' },
  { name: 'stale', header: at(-STALE_SECONDS - 60), code: 'signature_expired' },
  { name: 'of 1970', header: (body) => sign(body, SECRET, 0), code: 'signature_expired' },
  { name: 'from the near future', header: at(360), code: 'signature_expired' },
  { name: 'from the far future', header: (body) => sign(body, SECRET, 999_999_999_999), code: 'signature_expired' },
  { name: 'in milliseconds', header: (body) => sign(body, SECRET, Date.now()), code: 'signature_malformed' },
  {
    name: 'of a wrong secret',
    header: (body) => sign(body, `${SECRET}0`, unixSeconds()),
    code: 'signature_mismatch',
  },
  {
    name: 'of a retired secret',
    header: (body) => sign(body, 'r'.repeat(40), unixSeconds()),
    code: 'signature_mismatch',
  },
  { name: 'of no secret', header: (body) => sign(body, '', unixSeconds()), code: 'signature_mismatch' },
  { name: 'of another body', header: () => good(Buffer.from('{}')), code: 'signature_mismatch' },
  {
    name: 'of another second',
    header: (body) => `t=${unixSeconds()},v0=${digits(body, 1)}`,
    code: 'signature_mismatch',
  },
  {
    name: 'of the body printed anew',
    header: (body) => good(Buffer.from(rePrinted(body))),
    code: 'signature_mismatch',
  },
];

/** Headers that are unusual and good. */
export const ACCEPTED_SIGNATURES: readonly SignatureRow[] = [
  { name: 'of the secret before', header: (body) => signed(body, OLD_SECRET)['elevenlabs-signature'] },
  { name: 'with a space after the comma', header: (body) => good(body).replace(',', ', ') },
  { name: 'with spaces around it', header: (body) => `  ${good(body)}  ` },
  { name: 'nearly stale', header: at(-STALE_SECONDS + 60) },
  { name: 'a little ahead of our clock', header: at(240) },
  { name: 'with a second v0 that is wrong', header: (body) => `${good(body)},v0=${'0'.repeat(64)}` },
  { name: 'with parts that we do not know', header: (body) => `v1=abc,${good(body)},x` },
];
