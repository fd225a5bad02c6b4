import { randomUUID } from 'node:crypto';
import type { Delivery } from '@landline/webhook';

/** A delivered event with this body. */
export function anEvent(body = `{"id":"${randomUUID()}"}`): Delivery {
  return { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12', encoding: 'utf8', body };
}

/** Returns a key prefix for one test: only its jobs are under it. */
export function ownPrefix(): string {
  return `{test-${randomUUID()}}`;
}
