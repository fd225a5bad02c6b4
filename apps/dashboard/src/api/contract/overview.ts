import { z } from 'zod';
import { count, numberOrNull, textOrNull, time } from './fields.ts';

/** How long it took from the receipt to the row, of events that were applied and not fetched, in milliseconds. Null where none was. */
const receiptToRow = z.object({ p50: numberOrNull, p99: numberOrNull });

/** What receivers and workers counted in a span of time. */
export const activitySchema = z.object({
  /** Events that were answered 200. */
  accepted: count,
  applied: count,
  /** Of the applied ones, those that workers had fetched from ElevenLabs: no webhook brought them. */
  fetched: count,
  ignored: count,
  duplicate: count,
  dead: count,
  /** Requests that were answered 401. */
  refused: count,
  receipt_to_row_ms: receiptToRow,
});

/** What the curves show: equal spans of time, the oldest first. All arrays have the same length. */
export const seriesSchema = z.object({
  from: time,
  step_seconds: z.int(),
  accepted: z.array(count),
  applied: z.array(count),
  dead: z.array(count),
  refused: z.array(count),
  p50_ms: z.array(numberOrNull),
  p99_ms: z.array(numberOrNull),
});

/** Something that a person should look at. */
export const attentionSchema = z.object({
  /** Stable name, such as `dead_letters`. */
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  /** One sentence that says what it is. */
  text: z.string(),
  /** Where it is mended: a path of the console. */
  href: z.string(),
});

/** Whether a server answers, and where it does not, why. */
const part = z.object({ ok: z.boolean(), message: textOrNull });

export const overviewSchema = z.object({
  at: time,
  /** Of the last 60 seconds. Null where Redis does not answer; so are the next two, and `series`. */
  now: activitySchema.nullable(),
  hour: activitySchema.nullable(),
  day: activitySchema.nullable(),
  series: seriesSchema.nullable(),
  /** Jobs that wait, and how long the oldest has waited. Null where Redis does not answer. */
  queue: z.object({ waiting: count, oldest_seconds: numberOrNull, dead_letters: count }).nullable(),
  /** What journals hold that Redis does not have yet. Null where no receiver reports one. */
  journal: z.object({ events: count, bytes: count }).nullable(),
  /** Large bodies that wait for the storage. Null where no receiver reports a spool. */
  spool: z.object({ files: count, bytes: count }).nullable(),
  /** How long ago the newest test event was sent that came through. Null where there is none. */
  canary_age_seconds: numberOrNull,
  processes: z.array(z.object({ role: z.enum(['receiver', 'worker']), id: z.string(), seen_at: time })),
  redis: part,
  postgres: part,
  attention: z.array(attentionSchema),
});

export const overviewQuery = z.strictObject({
  /** `hour`: 60 spans of a minute. `day`: 144 spans of ten minutes. */
  series: z.enum(['hour', 'day'], { error: 'series must be hour or day' }).default('hour'),
});

export type Activity = z.output<typeof activitySchema>;
export type Series = z.output<typeof seriesSchema>;
export type Attention = z.output<typeof attentionSchema>;
export type Overview = z.output<typeof overviewSchema>;
