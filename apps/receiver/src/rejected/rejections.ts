import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { MAX_KEPT_BODY_BYTES, type RejectedOutcome, type RejectedQueue, type RejectedRequest } from '@landline/queue';
import type { SignatureFault } from '@landline/webhook/verify';
import type { FastifyRequest } from 'fastify';
import { isHeldBack } from '../expect-continue.ts';
import type { LargeBody } from '../large-body.ts';
import { signatureHeader } from '../signature-header.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { collectBody } from './collect-body.ts';
import { keptHeaders, keptSignature } from './kept-headers.ts';

/** How many refused requests may come at once, and how many a second after that. The others are counted. */
const RATE = { burst: 1000, perSecond: 5 };

/** How many bytes of bodies may wait in memory until Redis has them: 32 MiB. */
const MAX_HELD_BYTES = 33_554_432;

/**
 * What became of a refused request beside its answer: see `RejectedOutcome`. `rate`: too many came; `memory`: too many bytes wait for Redis.
 */
export type KeptOutcome = RejectedOutcome | 'rate' | 'memory';

/** The body of a refused request. */
export type RefusedBody =
  /** The receiver refused it by its header, and has read none of it. */
  | { kind: 'unread' }
  | { kind: 'small'; pieces: readonly Buffer[] }
  /** It is in the spool until it is discarded. */
  | { kind: 'large'; body: Pick<LargeBody, 'head' | 'bytes'> };

/** Keeps refused requests for a diagnosis. It never makes an answer wait, and never throws. */
export interface Rejections {
  /** Keeps a request, or counts it. Call it before the answer is sent. */
  note(request: FastifyRequest, code: SignatureFault, body: RefusedBody): void;
  /** Bytes of bodies that wait in memory until Redis has them. */
  heldBytes(): number;
  /** Keeps nothing more. Resolves when what is under way is written, or given up. */
  close(): Promise<void>;
}

/** What refused requests are kept with. */
export interface RejectionsOptions {
  /** Opens the queue; it calls `onOutcome` once for each request. */
  openQueue: (onOutcome: (outcome: RejectedOutcome, request: RejectedRequest) => void) => RejectedQueue;
  /** Called once for each request that was noted. */
  onOutcome: (outcome: KeptOutcome) => void;
  maxHeldBytes?: number;
  /** A monotonic clock, in ms. */
  clock?: () => number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether its body is read to the end, though it was refused by its header. */
    isCollected: boolean;
  }
}

interface Keeping extends RejectionsOptions {
  readonly queue: RejectedQueue;
  /** By the id of a request: the bytes that it holds. */
  readonly held: Map<string, number>;
  heldBytes: number;
}

/** Makes the keeping of refused requests. */
export function createRejections(options: RejectionsOptions): Rejections {
  const { openQueue, onOutcome, maxHeldBytes = MAX_HELD_BYTES, clock = () => performance.now() } = options;
  const bucket = createTokenBucket(RATE, clock);
  const queue = openQueue((outcome, { id }) => {
    release(keeping, id);
    onOutcome(outcome);
  });
  const keeping: Keeping = { ...options, queue, held: new Map(), heldBytes: 0 };
  return {
    note(request, code, body) {
      // First: a flood must cost next to nothing.
      if (!bucket.take()) return onOutcome('rate');
      const bytes = bytesToHold(request, body);
      if (keeping.heldBytes + bytes > maxHeldBytes) return onOutcome('memory');
      const id = randomUUID();
      keeping.held.set(id, bytes);
      keeping.heldBytes += bytes;
      keep(keeping, { request, body, fields: fieldsOf(request, id, code) });
    },
    heldBytes: () => keeping.heldBytes,
    close: () => queue.close(),
  };
}

function release(keeping: Keeping, id: string): void {
  keeping.heldBytes -= keeping.held.get(id) ?? 0;
  keeping.held.delete(id);
}

type Fields = Omit<RejectedRequest, 'encoding' | 'body' | 'bodyBytes'>;

function fieldsOf({ raw }: FastifyRequest, id: string, code: SignatureFault): Fields {
  return {
    v: 1,
    id,
    receivedAt: Date.now(),
    code,
    header: keptSignature(signatureHeader(raw)),
    headers: keptHeaders(raw.rawHeaders),
    sender: raw.socket.remoteAddress ?? null,
  };
}

function bytesToHold(request: FastifyRequest, body: RefusedBody): number {
  return Math.min(wholeBytes(request, body) ?? 0, MAX_KEPT_BODY_BYTES);
}

/** Returns how many bytes the body has, as far as anybody knows. */
function wholeBytes({ raw, headers }: FastifyRequest, body: RefusedBody): number | undefined {
  if (body.kind === 'small') return body.pieces.reduce((sum, { length }) => sum + length, 0);
  if (body.kind === 'large') return body.body.bytes();
  if (headers['transfer-encoding'] !== undefined) return undefined;
  const announced = Number(headers['content-length'] ?? 0);
  return raw.complete ? 0 : announced;
}

interface ToKeep {
  request: FastifyRequest;
  body: RefusedBody;
  fields: Fields;
}

function keep({ queue }: Keeping, { request, body, fields }: ToKeep): void {
  const whole = wholeBytes(request, body);
  const submit = (kept: Buffer | null) => queue.add({ ...fields, ...textOf(kept), bodyBytes: whole ?? null });
  if (body.kind === 'small') return submit(firstBytes(body.pieces));
  if (body.kind === 'large') {
    body.body.head(MAX_KEPT_BODY_BYTES).then(submit, () => submit(null));
    return undefined;
  }
  if (whole === undefined || whole > MAX_KEPT_BODY_BYTES || isHeldBack(request.raw)) return submit(null);
  request.isCollected = true;
  return collectBody(request.raw, whole, submit);
}

/** In memory of its own: what arrives lies in larger pieces of memory. */
function firstBytes(pieces: readonly Buffer[]): Buffer {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat(pieces, Math.min(bytes, MAX_KEPT_BODY_BYTES));
}

function textOf(body: Buffer | null): Pick<RejectedRequest, 'encoding' | 'body'> {
  if (body === null) return { encoding: 'utf8', body: null };
  const encoding = isUtf8(body) ? 'utf8' : 'base64';
  return { encoding, body: body.toString(encoding) };
}
