import { hash } from 'node:crypto';

/**
 * Returns the idempotency key of an event: the first 16 bytes of the SHA-256 of its raw body, printed as a uuid. The
 * provider sends no delivery id and repeats a delivery byte for byte, so the content identifies the event.
 *
 * @param body  Raw request bytes; a text counts as its bytes in UTF-8.
 */
export function idempotencyKey(body: Uint8Array | string): string {
  return keyOfHash(hash('sha256', body, 'hex'));
}

/**
 * Returns the idempotency key of a body whose bytes were hashed one part after another.
 *
 * @param hex  The SHA-256 of the raw body, in hex.
 */
export function keyOfHash(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Returns the idempotency key of a live event that names neither an id nor a time. Two callers who say "yes" send the
 * same bytes, so the key includes the time of the delivery's signature.
 *
 * @param body      The raw body.
 * @param signedAt  The signature's `t`, unix seconds.
 */
export function signedIdempotencyKey(body: string, signedAt: number): string {
  return idempotencyKey(`${signedAt}.${body}`);
}
