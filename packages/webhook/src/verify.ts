import { hash, timingSafeEqual } from 'node:crypto';
import { signatureDigest } from './sign.ts';

/** How far ahead of our clock a signature may be, in seconds: room for clock drift, none for replaying from the future. */
export const FUTURE_TOLERANCE_SECONDS = 300;

/** Why a delivery was refused; the receiver answers each with 401. */
export type SignatureFault = 'signature_missing' | 'signature_malformed' | 'signature_mismatch' | 'signature_expired';

/** What `verify` found: which secret signed and when, or why it is not acceptable. */
export type Verdict = { ok: true; secretId: string; signedAt: number } | Refusal;

/** Why a delivery is not acceptable, with a message for its sender. */
export interface Refusal {
  ok: false;
  code: SignatureFault;
  message: string;
}

/** A signature header that is well-formed and within the time window: when it was signed, and every `v0` of it. */
export interface SignatureRead {
  ok: true;
  timestamp: string;
  signatures: readonly Buffer[];
}

/** What `verify` holds a delivery against. */
export interface VerifyOptions {
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** Current time in unix seconds. */
  now: number;
  /** How old a signature may be, in seconds. */
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
 * Tells whether `body` was signed by a holder of one of `secrets`, within the time window.
 *
 * @param body     Raw request bytes as received; never JSON printed again.
 * @param header   `t=<unix seconds>,v0=<hex>`, the ElevenLabs-Signature header; an array if it was sent more than once.
 * @param options  Accepted keys, the current time and the window.
 * @returns        Which secret matched, or why none did; never throws on bad input.
 */
export function verify(
  body: Uint8Array,
  header: string | readonly string[] | undefined,
  options: VerifyOptions,
): Verdict {
  const read = verifyHeader(header, options);
  return read.ok ? verifyBody(body, read, options.secrets) : read;
}

/**
 * The rest of `verify`, once `verifyHeader` has read the header: so the header is read once for each delivery.
 *
 * @param read  What `verifyHeader` answered.
 */
export function verifyBody(body: Uint8Array, read: SignatureRead, secrets: readonly string[]): Verdict {
  for (const secret of secrets) {
    const expected = signatureDigest(body, secret, read.timestamp);
    if (read.signatures.some((signature) => timingSafeEqual(signature, expected))) {
      return { ok: true, secretId: secretId(secret), signedAt: Number(read.timestamp) };
    }
  }
  return refuse('signature_mismatch');
}

/**
 * What can be told from the header alone, before a byte of the body is read: missing, malformed or out of the window.
 *
 * @returns  What `verifyBody` goes on with, or the refusal that `verify` would give whatever the body is.
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
  // Told this way round, a clock or a tolerance that is no number refuses everything instead of nothing.
  const inWindow = signedAt >= now - toleranceSeconds && signedAt <= now + FUTURE_TOLERANCE_SECONDS;
  return inWindow ? { ok: true, ...parsed } : refuse('signature_expired');
}

function refuse(code: SignatureFault): Refusal {
  return { ok: false, code, message: MESSAGES[code] };
}

/** Digits only: `Number` would also take "0x10", " 12 " and "1e3". Twelve digits reach the year 33658. */
const TIMESTAMP = /^\d{1,12}$/;
/** Hex decoding is lax about what follows the digits, so the form is checked first. */
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

/** Names a secret in jobs and logs without telling it: the first 8 hex digits of its SHA-256. */
function secretId(secret: string): string {
  let id = secretIds.get(secret);
  if (id === undefined) {
    id = hash('sha256', secret, 'hex').slice(0, 8);
    secretIds.set(secret, id);
  }
  return id;
}
