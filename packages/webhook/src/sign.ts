import { createHmac, type Hmac } from 'node:crypto';

/** The name of the signature's header, in lower case as Node returns it. */
export const SIGNATURE_HEADER = 'elevenlabs-signature';

/**
 * Computes the HMAC-SHA256 of `timestamp + "." + body`, keyed with the UTF-8 bytes of the whole secret (a leading
 * `wsec_` included).
 *
 * @param body       Raw request bytes.
 * @param secret     Shared secret, as the provider shows it.
 * @param timestamp  The header's `t`, as text from the header.
 * @returns          32 bytes.
 */
export function signatureDigest(body: Uint8Array, secret: string, timestamp: string): Buffer {
  return beginDigest(secret, timestamp).update(body).digest();
}

/** Begins the same digest for a body whose bytes are added one after the other. */
export function beginDigest(secret: string, timestamp: string): Hmac {
  return createHmac('sha256', secret).update(`${timestamp}.`);
}

/**
 * Makes the `ElevenLabs-Signature` header that the provider would send with `body`.
 *
 * @param body       Raw request bytes.
 * @param secret     Shared secret.
 * @param timestamp  Unix seconds.
 * @returns          `t=<unix seconds>,v0=<64 lower-case hex digits>`.
 */
export function sign(body: Uint8Array, secret: string, timestamp: number): string {
  const t = String(Math.floor(timestamp));
  return `t=${t},v0=${signatureDigest(body, secret, t).toString('hex')}`;
}
