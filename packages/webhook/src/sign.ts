import { createHmac } from 'node:crypto';

/** The header that carries the signature, in lower case as Node hands it over. */
export const SIGNATURE_HEADER = 'elevenlabs-signature';

/**
 * HMAC-SHA256 over `timestamp + "." + body`, keyed with the UTF-8 bytes of the whole secret (a leading `wsec_` included).
 *
 * @param body       Raw request bytes.
 * @param secret     Shared secret, as the provider shows it.
 * @param timestamp  The header's `t`, as it stands there.
 * @returns          32 bytes.
 */
export function signatureDigest(body: Uint8Array, secret: string, timestamp: string): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
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
