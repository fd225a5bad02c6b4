import type { Delivery } from '@landline/webhook';
import { unpackData } from '../jobs/event-queue.ts';
import { encodeJob } from '../jobs/encode-job.ts';
import { jobSchema } from '../jobs/job.ts';
import { rejectedRequestSchema } from '../rejected/rejected-request.ts';

/** What a job carries, as whoever decides about it sees it. */
export interface CarriedEvent {
  /** The event; undefined for a request that was refused, and for a job that this version cannot read. */
  delivery: Delivery | undefined;
  /** The bytes of its body; of a job that cannot be read, its data. */
  body: Buffer;
  /** In unix milliseconds; 0 where nobody knows. */
  receivedAt: number;
}

/** Reads the data of a job of any queue of events. */
export function readCarried(data: string): CarriedEvent[] {
  const parsed = unpackData(parseData(data));
  const job = jobSchema.safeParse(parsed);
  if (job.success) {
    return job.data.events.map((delivery) => {
      const { body, encoding, receivedAt } = delivery;
      return { delivery, body: Buffer.from(body, encoding), receivedAt };
    });
  }
  const refused = rejectedRequestSchema.safeParse(parsed);
  if (refused.success) {
    const { body, encoding, receivedAt } = refused.data;
    return [{ delivery: undefined, body: Buffer.from(body ?? '', encoding), receivedAt }];
  }
  return [{ delivery: undefined, body: Buffer.from(data), receivedAt: 0 }];
}

/** Returns the data of a job that carries these events. */
export function dataOf(events: readonly CarriedEvent[]): Buffer {
  const bytes = events.reduce((sum, { body }) => sum + body.length, 0);
  return encodeJob({ events: events.flatMap(({ delivery }) => delivery ?? []), bytes });
}

/** Returns the data of a job as it was before JSON; undefined where it is none. */
export function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
