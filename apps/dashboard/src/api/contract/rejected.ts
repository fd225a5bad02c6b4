import { z } from 'zod';
import { count, numberOrNull, pageOf, textOrNull, time, timeOrNull, uuid } from './fields.ts';

/** A refused request as it is listed. */
export const rejectedSchema = z.object({
  id: uuid,
  received_at: time,
  code: z.string(),
  cause: z.string(),
  /** What was found in one sentence, and what to do. */
  advice: z.string(),
  header: textOrNull,
  headers: z.record(z.string(), z.string()),
  body_bytes: numberOrNull,
  kept_bytes: numberOrNull,
  sender: textOrNull,
  readmitted_at: timeOrNull,
});

/** One refused request; of its body the first 64 KiB as text. */
export const rejectedDetailSchema = rejectedSchema.extend({ body_text: textOrNull });

/** How many requests have a cause. */
export const causeSchema = z.object({
  cause: z.string(),
  count,
  readmitted: count,
  first_at: time,
  last_at: time,
});

export const rejectedPage = pageOf(rejectedSchema).extend({
  /** Over all pages. */
  causes: z.array(causeSchema),
});

export type RejectedItem = z.output<typeof rejectedSchema>;
export type RejectedDetail = z.output<typeof rejectedDetailSchema>;
export type CauseItem = z.output<typeof causeSchema>;
