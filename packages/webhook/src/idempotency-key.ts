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
