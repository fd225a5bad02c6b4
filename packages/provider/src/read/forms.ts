import { z } from 'zod';

/** The last second of the year 9999. */
const LAST_SECOND = 253_402_300_799;

const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/)
    .transform(Number),
]);

/** No call began before the year 2000: the provider writes 0 for a start that it does not know. */
const FIRST_START = Date.UTC(2000, 0, 1);

/** In ms, and more than any call has, or any clock is ahead: a wrong number must not keep a call waiting for its end. */
const DAY_MS = 86_400_000;

/** A time in unix seconds, as unix milliseconds. */
const time = number.refine((seconds) => seconds >= 0 && seconds <= LAST_SECOND).transform((s) => Math.round(s * 1000));

/** A text that is not empty: an id, a name. */
export const text = z.string().min(1);

/** The id of a call: the longest that a webhook's event may have. Postgres can index no much longer one. */
export const callId = text.max(256);

// What the provider does not mark may be missing or null, and counts as that where its form is another.

/** A text, else null. */
export const maybeText = text.nullable().catch(null);
/** A number, else null. */
export const maybeNumber = number.nullable().catch(null);
/** A time in unix seconds, as unix milliseconds; else null. */
export const maybeTime = time.nullable().catch(null);
/** The start of a call in unix seconds, as unix milliseconds; else null. */
export const maybeStart = time
  .refine((at) => at >= FIRST_START && at <= Date.now() + DAY_MS)
  .nullable()
  .catch(null);
/** The duration of a call in seconds, else null. */
export const maybeDuration = number
  .refine((seconds) => seconds >= 0 && seconds * 1000 <= DAY_MS)
  .nullable()
  .catch(null);
/** How many there are of something, else null. No call has a million messages. */
export const maybeCount = number
  .refine((count) => Number.isInteger(count) && count >= 0 && count < 1_000_000)
  .nullable()
  .catch(null);
/** A boolean, else false. */
export const maybeTrue = z.boolean().catch(false);

/** An object of these fields, else null. */
export function maybe<T extends z.ZodRawShape>(shape: T) {
  return z.object(shape).nullable().catch(null);
}
