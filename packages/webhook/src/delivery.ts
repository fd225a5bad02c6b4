import { isUtf8 } from 'node:buffer';
import { z } from 'zod';

/** The path of the receiver's webhook endpoint. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

/**
 * The origins of a delivery:
 *
 * - `webhook`: the provider sent it.
 * - `replay`: Landline enqueued it again from its own records.
 * - `backfill`: Landline fetched it from the provider.
 */
export const ORIGINS = ['webhook', 'replay', 'backfill'] as const;

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
 * - `origin`: absent means `webhook`, because older jobs have no origin.
 * - `reference`: absent means that `body` is the whole body.
 */
export const deliverySchema = bodySchema.extend({
  receivedAt: z.number(),
  signedAt: z.number(),
  secretId: z.string(),
  origin: z.enum(ORIGINS).optional(),
  reference: referenceSchema.optional(),
});

/** One verified webhook; see `deliverySchema`. */
export type Delivery = z.infer<typeof deliverySchema>;

/**
 * A body of so many bytes stays bytes, and becomes text when somebody reads `body`: 4 KiB. Such bodies are packed, and their text would be
 * made and measured only to be written as bytes again. Meanwhile the garbage collector would copy it from place to place.
 */
const KEPT_AS_BYTES = 4096;

/** Where a delivery keeps its body's bytes. A copy by `{ ...delivery }` does not have them, because its body may become another. */
const BYTES = Symbol('bytes of the body');

/**
 * Makes the delivery of a body.
 *
 * @param bytes  The body as received; with a reference, its envelope. The delivery may keep them: they must not change.
 * @param facts  The delivery's other fields.
 */
export function deliveryOf(bytes: Uint8Array, facts: Omit<Delivery, keyof DeliveryBody>): Delivery {
  // The fields are listed, not spread: the receiver makes one delivery for each request.
  const { receivedAt, signedAt, secretId, origin, reference } = facts;
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delivery: Delivery = { receivedAt, signedAt, secretId, encoding, body: '' };
  if (buffer.length < KEPT_AS_BYTES) delivery.body = buffer.toString(encoding);
  else keepBytes(delivery, buffer);
  if (origin !== undefined) delivery.origin = origin;
  if (reference !== undefined) delivery.reference = reference;
  return delivery;
}

function keepBytes(delivery: Delivery, bytes: Buffer): void {
  Object.defineProperties(delivery, {
    body: { get: () => bytes.toString(delivery.encoding), enumerable: true, configurable: true },
    [BYTES]: { value: bytes },
  });
}

/** Returns the bytes of a body that is kept as bytes; undefined for one that is text. */
function keptBytes(body: DeliveryBody): Buffer | undefined {
  const bytes: unknown = Reflect.get(body, BYTES);
  return Buffer.isBuffer(bytes) ? bytes : undefined;
}

/** Returns the exact bytes that a delivery carries: of the body, or of the envelope where there is a reference. */
export function bodyBytes({ encoding, body }: DeliveryBody): Buffer<ArrayBuffer> {
  return Buffer.from(body, encoding);
}

/** Returns how many bytes a delivery carries. */
export function bodyLength(delivery: DeliveryBody): number {
  return keptBytes(delivery)?.length ?? Buffer.byteLength(delivery.body, delivery.encoding);
}

/** Writes the exact bytes that a delivery carries into `target`. Returns how many these are. */
export function writeBody(delivery: DeliveryBody, target: Buffer, at: number): number {
  const kept = keptBytes(delivery);
  return kept === undefined ? target.write(delivery.body, at, delivery.encoding) : kept.copy(target, at);
}

/** Returns the fields of a delivery, also those that this version does not know, with the size of its body in place of the body. */
export function fieldsOf(delivery: Delivery, bytes: number | undefined): object {
  if (keptBytes(delivery) === undefined) return { ...delivery, body: undefined, bytes };
  // To read `body` would make the text. Such a delivery was made here, so its fields are known.
  const { receivedAt, signedAt, secretId, encoding, origin, reference } = delivery;
  return { receivedAt, signedAt, secretId, encoding, origin, reference, bytes };
}
