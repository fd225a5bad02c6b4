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
 * by the functions of this file, so that a later version can replace the body by a reference. Three places on the way of every event read
 * `encoding` themselves, to copy nothing: normalise, the receiver's line for the log, and the journal's record.
 */
const bodySchema = z.object({ encoding: z.enum(['utf8', 'base64']), body: z.string() });

/** The exact bytes of a body, as text or base64; `bodyBytes` decodes them. */
export type DeliveryBody = z.infer<typeof bodySchema>;

/**
 * One verified webhook, from the receiver to the ledger.
 *
 * - `receivedAt`: unix milliseconds.
 * - `signedAt`: the signature's `t`, unix seconds. It is the event's time where the body names no time.
 * - `secretId`: names the secret that matched.
 * - `origin`: absent means `webhook`, because older jobs have no origin.
 */
export const deliverySchema = bodySchema.extend({
  receivedAt: z.number(),
  signedAt: z.number(),
  secretId: z.string(),
  origin: z.enum(ORIGINS).optional(),
});

/** One verified webhook; see `deliverySchema`. */
export type Delivery = z.infer<typeof deliverySchema>;

/**
 * Makes the delivery of a body.
 *
 * @param bytes  The body as received.
 * @param facts  The delivery's other fields.
 */
export function deliveryOf(bytes: Uint8Array, facts: Omit<Delivery, keyof DeliveryBody>): Delivery {
  // The fields are listed, not spread: the receiver makes one delivery for each request.
  const { receivedAt, signedAt, secretId, origin } = facts;
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
  const delivery: Delivery = { receivedAt, signedAt, secretId, encoding, body };
  if (origin !== undefined) delivery.origin = origin;
  return delivery;
}

/** Returns the exact bytes of a body. */
export function bodyBytes({ encoding, body }: DeliveryBody): Buffer<ArrayBuffer> {
  return Buffer.from(body, encoding);
}

/** Returns how many bytes a body has. */
export function bodyLength({ encoding, body }: DeliveryBody): number {
  return Buffer.byteLength(body, encoding);
}
