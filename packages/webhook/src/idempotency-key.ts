import { hash } from 'node:crypto';

/**
 * The idempotency key of an event: the first 16 bytes of the SHA-256 of its raw body, written as a uuid.
 *
 * The provider sends no delivery id and repeats a delivery byte for byte, so the content is the identity.
 *
 * @param body  Raw request bytes; a text stands for its bytes in UTF-8.
 */
export function idempotencyKey(body: Uint8Array | string): string {
  const hex = hash('sha256', body, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The idempotency key of a live event that names neither an id nor a time: two callers who say "yes" send the same bytes,
 * so the delivery's signature time is part of the identity.
 *
 * @param body      The raw body.
 * @param signedAt  The signature's `t`, unix seconds.
 */
export function signedIdempotencyKey(body: string, signedAt: number): string {
  return idempotencyKey(`${signedAt}.${body}`);
}
