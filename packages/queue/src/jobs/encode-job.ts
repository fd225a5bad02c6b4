import type { Job } from './job.ts';

/** Tells whether `data` is the data of a job that carries events. */
export function isJobData(data: unknown): data is Job {
  return typeof data === 'object' && data !== null && 'v' in data && 'events' in data && Array.isArray(data.events);
}

/**
 * Returns a job's data as JSON in UTF-8.
 *
 * It encodes event by event. `JSON.stringify` makes a tree of texts of a megabyte, and flattening that tree takes longer than the rest.
 */
export function encodeJob({ events, ...fields }: Job): Buffer {
  const texts = [
    `${JSON.stringify(fields).slice(0, -1)},"events":[`,
    ...events.map((event, i) => (i > 0 ? ',' : '') + JSON.stringify(event)),
    ']}',
  ];
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  texts.reduce((end, text) => end + bytes.write(text, end), 0);
  return bytes;
}
