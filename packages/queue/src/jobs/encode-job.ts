import type { Delivery } from '@landline/webhook';
import type { Job } from './job.ts';
import { packEvents, packLargeEvents } from './packed-job.ts';

/**
 * From so many bytes of bodies on, a job is packed: 16 KiB. To begin a pack costs as much as to write a job of some KiB plain, so small
 * groups of live events would get slower.
 */
const PACKED_JOB_BYTES = 16_384;

/** Bodies of so many bytes on average are packed in any job: 4 KiB. */
const PACKED_BODY_BYTES = 4096;

/** Above so many bytes of bodies a job is packed on another thread: 1 MiB takes a few milliseconds. */
const OTHER_THREAD_BYTES = 1024 * 1024;

/**
 * Returns a job's data as JSON in UTF-8.
 *
 * @param bytes  Of the bodies.
 */
export function encodeJob(events: readonly Delivery[], bytes: number): Buffer {
  const isPacked = bytes >= PACKED_JOB_BYTES || bytes >= PACKED_BODY_BYTES * events.length;
  return isPacked ? packEvents(events) : encodePlain({ v: 1, events });
}

/** Encodes as `encodeJob` does, and holds up no other work for a job of megabytes. */
export async function encodeLargeJob(events: readonly Delivery[], bytes: number): Promise<Buffer> {
  return bytes > OTHER_THREAD_BYTES ? packLargeEvents(events) : encodeJob(events, bytes);
}

/** Encodes event by event: `JSON.stringify` makes a tree of texts, and to flatten the tree takes longer than the rest. */
function encodePlain({ events, ...fields }: Job): Buffer {
  const texts = [
    `${JSON.stringify(fields).slice(0, -1)},"events":[`,
    ...events.map((event, i) => (i > 0 ? ',' : '') + JSON.stringify(event)),
    ']}',
  ];
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  texts.reduce((end, text) => end + bytes.write(text, end), 0);
  return bytes;
}
