import { z } from 'zod';

/** A time: ISO 8601 in UTC, in milliseconds. */
export const time = z.iso.datetime({ precision: 3 }).meta({ description: 'ISO 8601, UTC' });

/** An id in the form of a uuid. Those of events are made of a hash, so no version of uuids has them: `z.uuid` would refuse them. */
export const uuid = z.guid();

/** A time, or null where there is none. */
export const timeOrNull = time.nullable();

/** A text, or null where there is none. */
export const textOrNull = z.string().nullable();

/** A number, or null where there is none. */
export const numberOrNull = z.number().nullable();

/** A count of things. */
export const count = z.int().min(0);

/** Where a list goes on, as the page before has told it. What is in it is the API's own affair. */
export const cursor = z
  .string()
  .regex(/^[\w-]{1,4096}$/, { error: 'cursor takes what the page before has told as next' })
  .meta({ description: 'What the page before has told as `next`' });

/** How many items a page has at most. */
export const limit = z.coerce
  .number({ error: 'limit takes a whole number from 1 to 200' })
  .int({ error: 'limit takes a whole number from 1 to 200' })
  .min(1, { error: 'limit takes a whole number from 1 to 200' })
  .max(200, { error: 'limit takes a whole number from 1 to 200' })
  .default(50);

/** Makes the schema of a page of items. `next` is null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** Every answer that is no success. `message` says what to do. */
export const faultSchema = z.object({ code: z.string(), message: z.string() });

/** Status 504: the time was over. What was found until then is in it, and `next` goes on behind what was looked at. */
export function timedOutOf<Item extends z.ZodType>(item: Item) {
  return faultSchema.extend({
    code: z.literal('timed_out'),
    /** How many were looked at. */
    looked: count,
    /** Everything that is newer than this was looked at. */
    back_to: timeOrNull,
    items: z.array(item),
    next: z.string().nullable(),
  });
}
