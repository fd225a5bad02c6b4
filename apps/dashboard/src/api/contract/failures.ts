import { z } from 'zod';
import { count, faultSchema, textOrNull, time, timeOrNull, uuid } from './fields.ts';

/** Dead events that fail alike: one code, and one message but for its variable parts. */
export const failureGroupSchema = z.object({
  fingerprint: z.string(),
  code: z.string(),
  /** The message without its variable parts. */
  pattern: z.string(),
  count,
  first_at: time,
  last_at: time,
  example: z.object({ id: uuid, message: z.string() }),
  /** How many events of each type. */
  types: z.record(z.string(), count),
  /** How many in each of the last 24 hours, the oldest first. */
  hours: z.array(count),
  /** When somebody marked it as known, and who; null where nobody did, and again when an event of it has died since. */
  known_at: timeOrNull,
  known_by: textOrNull,
});

const groups = {
  /** Those that nobody knows first, the one with the latest event first; 200 at most. */
  items: z.array(failureGroupSchema),
  /** How many of the events that were looked at are in no group of `items`. */
  others: count,
};

export const failuresSchema = z.object(groups);

/** Status 504: the groups of what was looked at until then, the newest events first. */
export const failuresTimedOut = faultSchema.extend({
  code: z.literal('timed_out'),
  looked: count,
  /** Everything that is newer than this was looked at; null where nothing was. */
  back_to: timeOrNull,
  ...groups,
});

/** Marks a group as known, or takes the mark back. */
export const knownBody = z.strictObject({ known: z.boolean({ error: 'known must be true or false' }) });

export type FailureGroupItem = z.output<typeof failureGroupSchema>;
export type Failures = z.output<typeof failuresSchema>;
