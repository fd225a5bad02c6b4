import { z } from 'zod';
import { count, pageOf, textOrNull, time, timedOutOf, timeOrNull, uuid } from './fields.ts';

/** Why an event is dead, and how many attempts were spent on it. */
export const eventErrorSchema = z.object({ code: z.string(), message: z.string(), attempts: count });

/** An event as it is listed. The names are those of the ledger's columns. */
export const eventSchema = z.object({
  id: uuid,
  type: textOrNull,
  event_key: textOrNull,
  conversation_id: textOrNull,
  outcome: z.enum(['applied', 'ignored', 'dead']),
  error: eventErrorSchema.nullable(),
  event_at: time,
  received_at: time,
  applied_at: timeOrNull,
  origin: z.string(),
  body_bytes: count,
});

/** One recording: a row of conversation_recordings. */
export const recordingSchema = z.object({
  sha256: z.string(),
  event_id: uuid,
  content_type: z.string(),
  bytes: count,
  created_at: time,
  stored_at: timeOrNull,
  deleted_at: timeOrNull,
  /** Path of the API that plays it; null where the audio is not there. */
  href: textOrNull,
});

export const eventDetailSchema = eventSchema.extend({
  /** Whether the exact bytes can be had: of a body that is gone, or whose audio was deleted, they cannot. */
  has_body: z.boolean(),
  /** Of the whole request, with its audio. */
  whole_bytes: count,
  recordings: z.array(recordingSchema),
});

export const eventsPage = pageOf(eventSchema);
export const eventsTimedOut = timedOutOf(eventSchema);

export type EventItem = z.output<typeof eventSchema>;
export type EventDetail = z.output<typeof eventDetailSchema>;
export type RecordingItem = z.output<typeof recordingSchema>;
