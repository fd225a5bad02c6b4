import { bodyLength, type Delivery } from '@landline/webhook/delivery';
import { normalise } from '@landline/webhook';
import type { OperationQueue } from '../job-adder.ts';

/** The id of the job of fetched audio. */
export function fetchedJobId(eventId: string): string {
  return `fetched-${eventId}`;
}

/** Makes what `createLargeBodies` enqueues the events of fetched audio with. The id of a job is its event's, so an event waits once. */
export function acceptFetched(queue: Pick<OperationQueue, 'add'>): (delivery: Delivery) => Promise<void> {
  return (delivery) =>
    queue.add({
      id: fetchedJobId(delivery.reference?.eventId ?? normalise(delivery).entry.id),
      events: [delivery],
      bytes: bodyLength(delivery),
    });
}
