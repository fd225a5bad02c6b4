import { randomUUID } from 'node:crypto';
import type { DeliveredEvent } from '../../src/job.ts';

/** A delivered event with this body. */
export function anEvent(body = `{"id":"${randomUUID()}"}`): DeliveredEvent {
  return { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12', encoding: 'utf8', body };
}

/** Key prefix of one test: nobody else's jobs are seen under it. */
export function ownPrefix(): string {
  return `{test-${randomUUID()}}`;
}
