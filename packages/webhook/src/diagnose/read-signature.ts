import type { Cause } from './causes.ts';

/** A signature header, read as tolerantly as can be. */
export interface TolerantSignature {
  /** The `t` of the header, in digits. */
  time: string;
  isInMilliseconds: boolean;
  /** Each `v0` that can be a digest, with the form in which it is written. */
  digests: readonly { bytes: Buffer; form: DigestForm }[];
}

/** How a digest is written; only `hex` is right. */
export type DigestForm = 'hex' | 'signature_in_upper_case' | 'signature_in_base64';

/** The header, or the cause for which nobody can read it. */
export type ReadSignature = { ok: true; signature: TolerantSignature } | { ok: false; cause: Cause; detail?: string };

/** So many `v0` are tried: each costs a comparison for each digest that is made. */
const MAX_DIGESTS = 16;

/** Reads a signature header whose form may be wrong. */
export function readSignature(header: string | readonly string[] | undefined): ReadSignature {
  if (header === undefined) return { ok: false, cause: 'no_signature' };
  if (typeof header !== 'string') {
    return { ok: false, cause: 'repeated_signature', detail: `${header.length} times` };
  }
  if (header.trim() === '') return { ok: false, cause: 'empty_signature' };
  const parts = header.split(',').map((part) => splitPair(part.trim()));
  const time = parts.find(([name]) => name === 't')?.[1];
  if (time === undefined) return { ok: false, cause: 'no_time' };
  if (!/^\d{1,13}$/.test(time)) return { ok: false, cause: 'time_unreadable' };
  const written = parts.flatMap(([name, value]) => (name === 'v0' ? [value] : []));
  if (written.length === 0) return { ok: false, cause: 'no_v0' };
  const digests = written.slice(0, MAX_DIGESTS).flatMap(readDigest);
  if (digests.length === 0) return { ok: false, cause: 'signature_unreadable' };
  return { ok: true, signature: { time, isInMilliseconds: time.length === 13, digests } };
}

/** Base64 has `=` at its end, so only the first one divides. */
function splitPair(part: string): [string, string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function readDigest(text: string): TolerantSignature['digests'] {
  if (/^[0-9a-f]{64}$/.test(text)) return [{ bytes: Buffer.from(text, 'hex'), form: 'hex' }];
  if (/^[0-9a-f]{64}$/i.test(text)) return [{ bytes: Buffer.from(text, 'hex'), form: 'signature_in_upper_case' }];
  // 32 bytes are 43 characters, and perhaps one that fills up; Node reads both alphabets.
  if (/^[\w+/-]{43}=?$/.test(text)) return [{ bytes: Buffer.from(text, 'base64'), form: 'signature_in_base64' }];
  return [];
}
