import { createHmac, timingSafeEqual } from 'node:crypto';
import { FUTURE_TOLERANCE_SECONDS, type SignatureFault } from '../verify.ts';
import { bodyForms, newlineForms } from './body-forms.ts';
import { CAUSES, type Cause } from './causes.ts';
import { findCompression } from './decompress.ts';
import { readSignature, type DigestForm, type TolerantSignature } from './read-signature.ts';
import { secretForms, triedSecrets } from './secret-forms.ts';

/** A request that was refused, or is asked about. */
export interface RefusedRequest {
  /** The signature header as it was sent: an array where it was repeated, undefined where it is missing. */
  header: string | readonly string[] | undefined;
  /** The other headers, their names in lower case. `content-encoding` and `content-length` alone are read. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes that were kept of the body; undefined: it was not read. */
  body: Uint8Array | undefined;
  /** How many bytes the whole body had. More than `body` has: it was cut. By default `body` is all of it. */
  bodyBytes?: number | undefined;
  /** Accepted keys, as they are configured; what a paste leaves around them may be there still. */
  secrets: readonly string[];
  /** Time of receipt, in unix seconds. */
  receivedAt: number;
  /** The greatest age of a signature, in seconds. */
  toleranceSeconds: number;
  /** The code of the answer; undefined: nobody has refused it. */
  code: SignatureFault | undefined;
}

/** Why a request was refused. No text of it holds anything of the body, the signature or a secret. */
export interface Diagnosis {
  cause: Cause;
  /** One sentence for a person. */
  message: string;
  /** What to click or to set. */
  advice: string;
  /** Whether the header shows the cause, or a change was found that makes the signature pass. Else it is what is most likely. */
  isFound: boolean;
}

/** How much is tried. */
export interface Effort {
  /** `short`: the forms of the secrets and a final newline, for bodies up to 64 KiB. */
  effort?: 'short' | 'whole';
}

/** The largest body, in bytes, that is hashed in a short diagnosis: the receiver answers other requests meanwhile. */
const SHORT_BYTES = 65_536;

/**
 * Diagnoses a refused request: tries the changes that would make its signature pass, and names the one that does. Pure; never throws on
 * bad input. It takes time and memory in proportion to the body and the number of secrets: up to 100 ms for 256 KiB.
 */
export function diagnose(request: RefusedRequest, { effort = 'whole' }: Effort = {}): Diagnosis {
  const steps = diagnoseInSteps(request, { effort });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Diagnoses in steps, so that the caller can let others go on between two of them: a step takes up to 40 ms for 256 KiB, and most take less than one. */
export function* diagnoseInSteps(
  request: RefusedRequest,
  { effort = 'whole' }: Effort = {},
): Generator<undefined, Diagnosis> {
  const read = readSignature(request.header);
  if (!read.ok) return found(read.cause, read.detail);
  const { signature } = read;
  const secrets = triedSecrets(request.secrets);
  if (secrets.length === 0) return likely('unknown');
  const { body, bodyBytes = body?.length ?? 0 } = request;
  const isWhole = body !== undefined && body.length >= bodyBytes;
  const mayTry = isWhole && (effort === 'whole' || body.length <= SHORT_BYTES);
  const passing = mayTry ? yield* firstThatPasses(request, signature, { secrets, effort }) : undefined;
  if (passing !== undefined) return found(passing.cause, passing.detail);
  return byItsLooks(request, signature, isWhole);
}

/** What is tried: a key, a text before the body, and a body. */
interface Attempt {
  secret: string;
  before: string;
  body: Uint8Array;
  /** What it means that the signature is that of this. */
  cause: Cause;
  detail?: string | undefined;
}

interface Tried {
  secrets: readonly string[];
  effort: 'short' | 'whole';
}

function* firstThatPasses(
  request: RefusedRequest,
  signature: TolerantSignature,
  tried: Tried,
): Generator<undefined, { cause: Cause; detail?: string | undefined } | undefined> {
  for (const attempt of attempts(request, signature, tried)) {
    const form = formOf(signature, digest(attempt));
    if (form === undefined) {
      yield;
      continue;
    }
    if (attempt.cause !== 'signature_good') return attempt;
    return ofGoodDigest(request, signature, form);
  }
  return undefined;
}

function* attempts(
  request: RefusedRequest,
  signature: TolerantSignature,
  { secrets, effort }: Tried,
): Generator<Attempt> {
  const body = asBuffer(request.body ?? new Uint8Array());
  const before = `${signature.time}.`;
  for (const secret of secrets) yield { secret, before, body, cause: 'signature_good' };
  for (const secret of secrets) {
    for (const form of secretForms(secret)) yield { before, body, ...form };
  }
  if (effort === 'short') {
    for (const form of newlineForms(body)) for (const secret of secrets) yield { secret, before, ...form };
    return;
  }
  for (const [text, cause] of otherSigning(signature, body)) {
    for (const secret of secrets) yield { secret, before: text, body, cause };
  }
  if (body.length === 0) return;
  for (const secret of secrets) yield { secret, before, body: Buffer.alloc(0), cause: 'signed_empty_body' };
  for (const form of bodyForms(body, findCompression(body, textOf(request.headers['content-encoding'])))) {
    for (const secret of secrets) yield { secret, before, ...form };
  }
}

/** Returns other texts that may stand before the body, and what each means. */
function otherSigning({ time, isInMilliseconds }: TolerantSignature, body: Buffer): [string, Cause][] {
  const alone: [string, Cause][] = body.length === 0 ? [] : [['', 'signed_body_alone']];
  // The sender may have signed seconds all the same.
  return isInMilliseconds ? [...alone, [`${time.slice(0, -3)}.`, 'time_in_milliseconds']] : alone;
}

function digest({ secret, before, body }: Attempt): Buffer {
  return createHmac('sha256', secret).update(before).update(body).digest();
}

function formOf({ digests }: TolerantSignature, expected: Buffer): DigestForm | undefined {
  return digests.find(({ bytes }) => bytes.length === expected.length && timingSafeEqual(bytes, expected))?.form;
}

/** The digest is right, so the fault is in how the header is written, or in its time. */
function ofGoodDigest(
  request: RefusedRequest,
  signature: TolerantSignature,
  form: DigestForm,
): { cause: Cause; detail?: string | undefined } {
  if (signature.isInMilliseconds) return { cause: 'time_in_milliseconds' };
  if (form !== 'hex') return { cause: form };
  const time = timeFault(request, signature);
  if (time !== undefined) return time;
  return { cause: request.code === 'signature_mismatch' ? 'another_live_secret' : 'signature_good' };
}

function timeFault(
  { receivedAt, toleranceSeconds }: RefusedRequest,
  { time }: TolerantSignature,
): { cause: Cause; detail: string } | undefined {
  const age = receivedAt - Number(time);
  if (age > toleranceSeconds) return { cause: 'stale', detail: `${age} s before` };
  if (age < -FUTURE_TOLERANCE_SECONDS) return { cause: 'ahead', detail: `${-age} s ahead` };
  return undefined;
}

/** Nothing that was tried makes the signature pass: names what the request itself shows. */
function byItsLooks(request: RefusedRequest, signature: TolerantSignature, isWhole: boolean): Diagnosis {
  if (signature.isInMilliseconds) return found('time_in_milliseconds');
  const forms = signature.digests.map(({ form }) => form);
  const [first] = forms;
  if (first !== undefined && first !== 'hex' && !forms.includes('hex')) return found(first);
  const { body, headers } = request;
  const time = timeFault(request, signature);
  if (body === undefined)
    return time === undefined ? likely('body_unread') : likely(time.cause, time.detail, UNCHECKED);
  if (isWhole && body.length === 0) return found('body_missing');
  const compression = findCompression(body, textOf(headers['content-encoding']));
  if (compression !== undefined) return found('body_compressed', compression.by);
  if (!isWhole) return likely('body_cut');
  const announced = Number(textOf(headers['content-length']) ?? body.length);
  if (announced !== body.length) {
    return found('body_length_differs', `${body.length} bytes arrived, ${announced} were announced`);
  }
  return likely(isJson(body) ? 'another_secret' : 'body_changed', time?.detail);
}

const UNCHECKED = 'The signature was made too long before the request came, or in its future, and nobody checked it.';

function found(cause: Cause, detail?: string): Diagnosis {
  return { ...likely(cause, detail), isFound: true };
}

function likely(cause: Cause, detail?: string, says: string = CAUSES[cause].says): Diagnosis {
  const { advice } = CAUSES[cause];
  const message = detail === undefined ? says : `${says.slice(0, -1)} (${detail}).`;
  return { cause, message, advice, isFound: false };
}

function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(
      asBuffer(body)
        .toString()
        .replace(/^\ufeff/, ''),
    );
    return true;
  } catch {
    return false;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
