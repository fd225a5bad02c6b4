import { randomUUID } from 'node:crypto';
import type { Delivery } from '@landline/webhook';
import type { Place } from '../servers/place.ts';
import { openSlowWriter, type SlowWriter } from './slow-writer.ts';

/**
 * Above so many bytes of bodies a job is written on a connection of its own: 1 MiB. On the shared connection every smaller job would
 * wait behind it. A smaller limit would spread ordinary groups over several connections, which costs them more than it spares.
 */
export const LARGE_JOB_BYTES = 1024 * 1024;

/** Leads the id of each large job, so that no id looks like a number or one of BullMQ's own keys. */
const PREFIX = 'large-';

/** Adds large jobs, each on a connection that no other write shares. */
export interface LargeJobs {
  /** Resolves when Redis has the job of these events, of which `bytes` are bodies. @throws QueueUnavailableError */
  add(events: readonly Delivery[], bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes large jobs. It opens as many connections as there are writes at once, and keeps them. */
export function openLargeJobs(place: Place): LargeJobs {
  const all: SlowWriter[] = [];
  const idle: SlowWriter[] = [];

  function openOne(): SlowWriter {
    const writer = openSlowWriter(place);
    all.push(writer);
    return writer;
  }

  return {
    async add(events, bytes) {
      const writer = idle.pop() ?? openOne();
      try {
        await writer.writeNew({ id: `${PREFIX}${randomUUID()}`, events, bytes });
      } finally {
        idle.push(writer);
      }
    },
    async close() {
      await Promise.all(all.map((writer) => writer.close()));
    },
  };
}
