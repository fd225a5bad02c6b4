import { isUtf8 } from 'node:buffer';
import { z } from 'zod';

/** The path at which the receiver takes webhooks. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

/** How a delivery reached the line: sent by the provider, brought in again from what was kept, or fetched from the provider. */
export const ORIGINS = ['webhook', 'replay', 'backfill'] as const;

/** One of `ORIGINS`. */
export type Origin = (typeof ORIGINS)[number];

/**
 * The exact bytes of a body, as it travels in JSON: as text where they are valid UTF-8, else as base64.
 * The functions of this file alone tell the two apart, so that a body may become a reference without anybody else knowing.
 */
const bodySchema = z.object({ encoding: z.enum(['utf8', 'base64']), body: z.string() });

/** The exact bytes of a body, as text where they are valid UTF-8; see `bodyBytes`. */
export type DeliveryBody = z.infer<typeof bodySchema>;

/**
 * One verified webhook as it travels from the receiver to the ledger.
 *
 * `receivedAt` is in unix milliseconds. `signedAt` is the signature's `t`, in unix seconds: the event's time where its body names none.
 * `secretId` names the secret that matched. `origin` is optional because older jobs have none; absent means `webhook`.
 */
export const deliverySchema = bodySchema.extend({
  receivedAt: z.number(),
  signedAt: z.number(),
  secretId: z.string(),
  origin: z.enum(ORIGINS).optional(),
});

/** One verified webhook as it travels; see `deliverySchema`. */
export type Delivery = z.infer<typeof deliverySchema>;

/**
 * Makes the delivery of a body.
 *
 * @param bytes  The body as received.
 * @param facts  Whatever else travels with it.
 */
export function deliveryOf(bytes: Uint8Array, facts: Omit<Delivery, keyof DeliveryBody>): Delivery {
  // Written out: the receiver makes one for each request.
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
