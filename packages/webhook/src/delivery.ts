import { isUtf8 } from 'node:buffer';
import { z } from 'zod';

/** The path of the receiver's webhook endpoint. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

/**
 * The origins of a delivery:
 *
 * - `webhook`: the provider sent it.
 * - `replay`: Landline enqueued it again from its own records. What was fetched stays `backfill`.
 * - `backfill`: Landline fetched it from the provider.
 * - `readmitted`: the receiver refused it, and its signature was found good later.
 */
export const ORIGINS = ['webhook', 'replay', 'backfill', 'readmitted'] as const;

/** One of `ORIGINS`. */
export type Origin = (typeof ORIGINS)[number];

/**
 * The exact bytes of a body in a form that JSON can hold: text where the bytes are valid UTF-8, else base64. Read a body
 * by the functions of this file. Two places on the way of every event read `encoding` themselves, to copy nothing: normalise,
 * and the receiver's line for the log.
 */
const bodySchema = z.object({ encoding: z.enum(['utf8', 'base64']), body: z.string() });

/** The exact bytes of a body, as text or base64; `bodyBytes` decodes them. */
export type DeliveryBody = z.infer<typeof bodySchema>;

/**
 * The audio that was cut out of a body.
 *
 * - `at`: the byte offset in the delivery's `body` at which the base64 text of the audio stood, right behind the opening quotation mark.
 * - `bytes`, `sha256`: of the decoded audio; the hash is in hex.
 * - `contentType`: such as `audio/mpeg`.
 * - `url`: `file:<path>` or `s3://<bucket>/<key>`. Null: the audio was not kept, because no storage was named.
 * - `storedAt`: unix milliseconds; null where the audio was not kept.
 */
export const recordingSchema = z.object({
  at: z.number(),
  bytes: z.number(),
  sha256: z.string(),
  contentType: z.string(),
  url: z.string().nullable(),
  storedAt: z.number().nullable(),
});

/** The audio that was cut out of a body; see `recordingSchema`. */
export type Recording = z.infer<typeof recordingSchema>;

/**
 * Says where the rest of a large body is. The delivery's `body` is the envelope then: the body's exact bytes without the text of the
 * audio, or without its long texts.
 *
 * - `eventId`: the idempotency key of the whole body.
 * - `bytes`: of the whole body.
 * - `recording`: the audio that was cut out. Envelope and recording give the whole body back.
 * - `bodyUrl`: where the whole body is kept, where envelope and recording do not give it back byte for byte.
 * - `fault`: why the event cannot be applied.
 */
export const referenceSchema = z.object({
  eventId: z.string(),
  bytes: z.number(),
  recording: recordingSchema.optional(),
  bodyUrl: z.string().optional(),
  fault: z.object({ code: z.string(), message: z.string() }).optional(),
});

/** Says where the rest of a large body is; see `referenceSchema`. */
export type BodyReference = z.infer<typeof referenceSchema>;

/** A reference as Redis and the ledger hold it: with the fields that this version does not know. */
export const storedReferenceSchema = referenceSchema.extend({ recording: recordingSchema.loose().optional() }).loose();

/**
 * One verified webhook, from the receiver to the ledger.
 *
 * - `receivedAt`: unix milliseconds.
 * - `signedAt`: the signature's `t`, unix seconds. It is the event's time where the body names no time.
 * - `secretId`: names the secret that matched.
 * - `origin`: absent means `webhook`, because older jobs have no origin. A delivery that was fetched stays `backfill` wherever it comes from: a clock tells it.
 * - `reference`: absent means that `body` is the whole body.
 * - `traceparent`: names the span of the request, as W3C writes it; absent where the receiver recorded none. It is there for traces
 *   alone, so one that is no text is left out and costs no event.
 */
export const deliverySchema = bodySchema.extend({
  receivedAt: z.number(),
  signedAt: z.number(),
  secretId: z.string(),
  origin: z.enum(ORIGINS).optional(),
  reference: referenceSchema.optional(),
  traceparent: z.string().optional().catch(undefined),
});

/** One verified webhook; see `deliverySchema`. */
export type Delivery = z.infer<typeof deliverySchema>;

/** What is noted of a verified request, or of what was fetched, beside its body. */
export type Receipt = Pick<Delivery, 'receivedAt' | 'signedAt' | 'secretId' | 'traceparent' | 'origin'>;

/**
 * A body of so many bytes stays bytes, and becomes text when somebody reads `body`: 32 KiB. Such bodies are packed, and their text would be
 * made and measured only to be written as bytes again. Meanwhile the garbage collector would copy it from place to place. Shorter text
 * costs less than the memory outside of the collector's heap.
 */
const KEPT_AS_BYTES = 32_768;

/** Where a delivery keeps the pieces of its body. A copy by `{ ...delivery }` does not have them, because its body may become another. */
const PIECES = Symbol('pieces of the body');

/**
 * Makes the delivery of a body.
 *
 * @param body   The bytes as received, also in pieces; with a reference, those of its envelope. The delivery may keep them: they must not change.
 * @param facts  The delivery's other fields.
 */
export function deliveryOf(body: Uint8Array | readonly Buffer[], facts: Omit<Delivery, keyof DeliveryBody>): Delivery {
  // The fields are listed, not spread: the receiver makes one delivery for each request.
  const { receivedAt, signedAt, secretId, origin, reference, traceparent } = facts;
  const pieces = body instanceof Uint8Array ? [Buffer.from(body.buffer, body.byteOffset, body.byteLength)] : body;
  const encoding = areUtf8(pieces) ? 'utf8' : 'base64';
  const delivery: Delivery = { receivedAt, signedAt, secretId, encoding, body: '' };
  if (lengthOf(pieces) < KEPT_AS_BYTES) delivery.body = together(pieces).toString(encoding);
  else keepPieces(delivery, pieces);
  if (origin !== undefined) delivery.origin = origin;
  if (reference !== undefined) delivery.reference = reference;
  if (traceparent !== undefined) delivery.traceparent = traceparent;
  return delivery;
}

function keepPieces(delivery: Delivery, pieces: readonly Buffer[]): void {
  Object.defineProperties(delivery, {
    body: {
      get: () => together(pieces).toString(delivery.encoding),
      set: (body: string) => {
        Object.defineProperty(delivery, 'body', { value: body, writable: true });
        Reflect.deleteProperty(delivery, PIECES);
      },
      enumerable: true,
      configurable: true,
    },
    [PIECES]: { value: pieces, configurable: true },
  });
}

/** Returns the pieces of a body that is kept as bytes; undefined for one that is text. */
function keptPieces(body: DeliveryBody): readonly Buffer[] | undefined {
  const pieces: readonly Buffer[] | undefined = Reflect.get(body, PIECES);
  return pieces;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function together(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** Tells whether pieces are valid UTF-8 together: a character may lie across them. */
function areUtf8(pieces: readonly Buffer[]): boolean {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return isUtf8(first);
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = bytes.length - unfinishedBytes(bytes);
    if (!isUtf8(bytes.subarray(0, end))) return false;
    rest = Buffer.from(bytes.subarray(end));
  }
  return rest.length === 0;
}

/** Returns how many of the last bytes begin a character that goes on behind them: 0 to 3. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes.at(-back) ?? 0;
    const isContinuation = byte >= 0x80 && byte < 0xc0;
    if (!isContinuation) return byte >= 0xc0 && characterBytes(byte) > back ? back : 0;
  }
  return 0;
}

/** Returns how many bytes a character has that begins with such a byte. */
function characterBytes(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

/** Returns the exact bytes that a delivery carries: of the body, or of the envelope where there is a reference. */
export function bodyBytes({ encoding, body }: DeliveryBody): Buffer<ArrayBuffer> {
  return Buffer.from(body, encoding);
}

/** Returns a body as it is kept, so that nothing is copied: as text in its `encoding`, or in pieces of its bytes. */
export function bodyAsKept(delivery: DeliveryBody): string | readonly Buffer[] {
  return keptPieces(delivery) ?? delivery.body;
}

/** Returns how many bytes a delivery carries. */
export function bodyLength(delivery: DeliveryBody): number {
  const kept = keptPieces(delivery);
  return kept === undefined ? Buffer.byteLength(delivery.body, delivery.encoding) : lengthOf(kept);
}

/** Writes the exact bytes that a delivery carries into `target`. Returns how many these are. */
export function writeBody(delivery: DeliveryBody, target: Buffer, at: number): number {
  const kept = keptPieces(delivery);
  if (kept === undefined) return target.write(delivery.body, at, delivery.encoding);
  return kept.reduce((end, piece) => end + piece.copy(target, end), at) - at;
}

/** Returns the fields of a delivery, also those that this version does not know, with the size of its body in place of the body. */
export function fieldsOf(delivery: Delivery, bytes: number | undefined): object {
  if (keptPieces(delivery) === undefined) return { ...delivery, body: undefined, bytes };
  // To read `body` would make the text.
  const names = Object.keys(delivery).filter((name) => name !== 'body');
  return { ...Object.fromEntries(names.map((name) => [name, Reflect.get(delivery, name)])), bytes };
}
