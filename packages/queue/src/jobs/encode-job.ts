import { packEvents, type PackedEvents } from '@landline/webhook/packed-events';
import type { Delivery } from '@landline/webhook';
import { jobOf, type Job, type PackedJob } from './job.ts';

/** The events of a job, and what is known of them. */
export interface EventsToEncode {
  events: readonly Delivery[];
  /** Of the bodies. */
  bytes: number;
  /** The same events, where they are packed already. */
  packed?: PackedEvents | undefined;
}

/** Bodies of fewer bytes on average are encoded together. */
const SMALL_BODY_BYTES = 1024;

/** Returns a job's data as JSON in UTF-8: packed where that is worth it. */
export function encodeJob({ events, bytes, packed }: EventsToEncode): Buffer {
  const few = packed ?? packEvents(events, bytes);
  return few === undefined ? encodePlain(jobOf(events), bytes) : encodePacked(few);
}

function encodePacked({ packed, ...facts }: PackedEvents): Buffer {
  const { bytes, fieldBytes, crc32 } = facts;
  const rest: PackedJob = { v: 3, bytes, fieldBytes, crc32, packed: '' };
  // Base64 has nothing to escape, so it is put between the last quotation marks.
  const before = JSON.stringify(rest).slice(0, -2);
  const text = packed.toString('base64');
  const data = Buffer.allocUnsafe(before.length + text.length + 2);
  data.write(before, 'latin1');
  data.write(text, before.length, 'latin1');
  data.write('"}', before.length + text.length, 'latin1');
  return data;
}

/**
 * Encodes the events of a large job one by one: `JSON.stringify` makes a tree of their texts, and to flatten the tree takes longer than the
 * rest. Small bodies are copied into one text at once.
 */
function encodePlain(job: Job, bodyBytes: number): Buffer {
  const { events, ...fields } = job;
  if (bodyBytes < SMALL_BODY_BYTES * events.length) return Buffer.from(JSON.stringify(job));
  const texts = [
    `${JSON.stringify(fields).slice(0, -1)},"events":[`,
    ...events.map((event, i) => (i > 0 ? ',' : '') + JSON.stringify(event)),
    ']}',
  ];
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  texts.reduce((end, text) => end + bytes.write(text, end), 0);
  return bytes;
}
