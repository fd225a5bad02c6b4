import type { Job } from './job.ts';

/** What is enqueued: a job, or what the journal kept of one, whose fields this version may not know. */
export type JobData = Omit<Job, 'events'> & { events: readonly object[] };

/** Whether it is the data of a job that carries events. */
export function isJobData(data: unknown): data is JobData {
  return typeof data === 'object' && data !== null && 'events' in data && Array.isArray(data.events);
}

/** The most bytes that one character (a unit of UTF-16) takes in UTF-8. */
const MOST_BYTES = 3;

/**
 * A job's data as JSON in UTF-8.
 *
 * Event by event: what `JSON.stringify` makes of a megabyte is a tree of texts, and to flatten it takes longer than all the rest.
 */
export function encodeJob({ v, events }: JobData): Buffer {
  const texts = [`{"v":${v},"events":[`, ...events.map((event, i) => (i > 0 ? ',' : '') + JSON.stringify(event)), ']}'];
  const bytes = Buffer.allocUnsafe(MOST_BYTES * texts.reduce((sum, text) => sum + text.length, 0));
  return bytes.subarray(
    0,
    texts.reduce((end, text) => end + bytes.write(text, end), 0),
  );
}
