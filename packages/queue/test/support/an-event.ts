import { randomUUID } from 'node:crypto';
import type { Delivery } from '@landline/webhook';
import type { BodyReference } from '@landline/webhook/delivery';

/** A delivered event with this body. */
export function anEvent(body = `{"id":"${randomUUID()}"}`): Delivery {
  return { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12', encoding: 'utf8', body };
}

/** A reference with every field. */
export const A_REFERENCE = {
  eventId: '01234567-89ab-cdef-0123-456789abcdef',
  bytes: 5_333_500,
  recording: {
    at: 120,
    bytes: 4_000_000,
    sha256: 'a'.repeat(64),
    contentType: 'audio/mpeg',
    url: 'file:/recordings/agent/2026/01/01/é.mp3',
    storedAt: 1_767_225_700_000,
  },
  bodyUrl: 's3://bucket/bodies/1',
  fault: { code: 'body_too_large', message: 'The body has "20" MiB.' },
} satisfies BodyReference;

/** Returns a key prefix for one test: only its jobs are under it. */
export function ownPrefix(): string {
  return `{test-${randomUUID()}}`;
}
