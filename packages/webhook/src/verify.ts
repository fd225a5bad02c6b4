import { hash, timingSafeEqual } from 'node:crypto';
import { beginDigest } from './sign.ts';
import { SMALL_DIGEST_BYTES, smallDigest } from './small-digest.ts';

/**
 * The greatest time that a signature may be ahead of our clock, in seconds. It allows for clock drift. A greater value
 * would let a signature from the future stay valid for longer.
 */
export const FUTURE_TOLERANCE_SECONDS = 300;

/** The reason of a refusal. The receiver answers each with 401. */
export type SignatureFault = 'signature_missing' | 'signature_malformed' | 'signature_mismatch' | 'signature_expired';

/** The result of `verify`: the secret that matched and the time of signing, or the refusal. */
export type Verdict = { ok: true; secretId: string; signedAt: number } | Refusal;

/** A refusal, with a message for the sender. */
export interface Refusal {
  ok: false;
  code: SignatureFault;
  message: string;
}

/** A well-formed signature header within the time window: the time of signing, and every `v0`. */
export interface SignatureRead {
  ok: true;
  timestamp: string;
  signatures: readonly Buffer[];
}

/** The secrets and the time window that `verify` checks against. */
export interface VerifyOptions {
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** Current time in unix seconds. */
  now: number;
  /** The greatest age of a signature, in seconds. */
  toleranceSeconds: number;
}

const MESSAGES: Record<SignatureFault, string> = {
  signature_missing: 'The ElevenLabs-Signature header is missing. Only deliveries signed by ElevenLabs are accepted.',
  signature_malformed:
    'The ElevenLabs-Signature header must be sent once and read t=<unix seconds>,v0=<64 lower-case hex digits>.',
  signature_mismatch:
    'The signature does not match the body. Check that the webhook secret here is the one ElevenLabs shows, and that nothing on the way changes the body.',
  signature_expired:
    'The signature is too old or lies in the future. Check the clocks, or SIGNATURE_TOLERANCE_SECONDS.',
};

/**
 * Verifies that a holder of one of `secrets` signed `body`, within the time window.
 *
 * @param body     Raw request bytes as received; never JSON printed again.
 * @param header   `t=<unix seconds>,v0=<hex>`, the ElevenLabs-Signature header; an array if it was sent more than once.
 * @param options  Accepted keys, the current time and the window.
 * @returns        The secret that matched, or the refusal; never throws on bad input.
 */
export function verify(
  body: Uint8Array,
  header: string | readonly string[] | undefined,
  options: VerifyOptions,
): Verdict {
  const read = verifyHeader(header, options);
  return read.ok ? verifyBody([body], read, options.secrets) : read;
}

/**
 * Verifies a body against a header that `verifyHeader` has accepted, so that each delivery's header is read once.
 *
 * @param pieces  The body's bytes, in order.
 * @param read    The result of `verifyHeader`.
 */
export function verifyBody(pieces: readonly Uint8Array[], read: SignatureRead, secrets: readonly string[]): Verdict {
  for (const secret of secrets) {
    const expected = digestOf(pieces, secret, read.timestamp);
    if (read.signatures.some((signature) => timingSafeEqual(signature, expected))) {
      return { ok: true, secretId: secretId(secret), signedAt: Number(read.timestamp) };
    }
  }
  return refuse('signature_mismatch');
}

function digestOf(pieces: readonly Uint8Array[], secret: string, timestamp: string): Buffer {
  let bytes = 0;
  for (const { length } of pieces) bytes += length;
  if (bytes <= SMALL_DIGEST_BYTES) return smallDigest(pieces, secret, timestamp);
  const digest = beginDigest(secret, timestamp);
  for (const piece of pieces) digest.update(piece);
  return digest.digest();
}

/** Verifies a body whose bytes come one after the other. */
export interface ArrivingBody {
  /** Adds the next bytes. */
  update(bytes: Uint8Array): void;
  /** Returns the verdict on all bytes that were added. Call it once. */
  verdict(): Verdict;
}

/**
 * Begins to verify a body that is not held in memory: the same verdict as `verifyBody` gives.
 *
 * @param read  The result of `verifyHeader`.
 */
export function verifyArriving(read: SignatureRead, secrets: readonly string[]): ArrivingBody {
  const digests = secrets.map((secret) => ({ secret, digest: beginDigest(secret, read.timestamp) }));
  return {
    update(bytes) {
      for (const { digest } of digests) digest.update(bytes);
    },
    verdict() {
      for (const { secret, digest } of digests) {
        const expected = digest.digest();
        if (read.signatures.some((signature) => timingSafeEqual(signature, expected))) {
          return { ok: true, secretId: secretId(secret), signedAt: Number(read.timestamp) };
        }
      }
      return refuse('signature_mismatch');
    },
  };
}

/**
 * Verifies the header alone, before a byte of the body is read.
 *
 * @returns  The input of `verifyBody`, or the refusal that `verify` would return for any body: missing, malformed or
 *           expired.
 */
export function verifyHeader(
  header: string | readonly string[] | undefined,
  window: Pick<VerifyOptions, 'now' | 'toleranceSeconds'>,
): SignatureRead | Refusal {
  const { now, toleranceSeconds } = window;
  if (header === undefined || header.length === 0) return refuse('signature_missing');
  if (typeof header !== 'string') return refuse('signature_malformed');
  const parsed = parseHeader(header);
  if (!parsed) return refuse('signature_malformed');
  const signedAt = Number(parsed.timestamp);
  // In this form a clock or a tolerance that is NaN refuses every signature instead of none.
  const inWindow = signedAt >= now - toleranceSeconds && signedAt <= now + FUTURE_TOLERANCE_SECONDS;
  return inWindow ? { ok: true, ...parsed } : refuse('signature_expired');
}

function refuse(code: SignatureFault): Refusal {
  return { ok: false, code, message: MESSAGES[code] };
}

/** Digits only: `Number` also accepts "0x10", " 12 " and "1e3". Twelve digits reach the year 33658. */
const TIMESTAMP = /^\d{1,12}$/;
/** Hex decoding ignores what follows the digits, so this checks the form first. */
const SIGNATURE = /^[0-9a-f]{64}$/;

function parseHeader(header: string): { timestamp: string; signatures: Buffer[] } | undefined {
  let timestamp: string | undefined;
  const signatures: Buffer[] = [];
  for (const part of header.split(',')) {
    const [name, value] = splitPair(part.trim());
    if (name === 't') {
      if (timestamp !== undefined || !TIMESTAMP.test(value)) return undefined;
      timestamp = value;
    } else if (name === 'v0' && SIGNATURE.test(value)) {
      signatures.push(Buffer.from(value, 'hex'));
    }
  }
  return timestamp !== undefined && signatures.length > 0 ? { timestamp, signatures } : undefined;
}

function splitPair(part: string): [string, string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

const secretIds = new Map<string, string>();

/** Names a secret in jobs, operations and logs without revealing it: the first 8 hex digits of its SHA-256. */
export function secretId(secret: string): string {
  let id = secretIds.get(secret);
  if (id === undefined) {
    id = hash('sha256', secret, 'hex').slice(0, 8);
    secretIds.set(secret, id);
  }
  return id;
}
