import { z } from 'zod';
import { EVENT_KINDS } from '../load/signed-events.ts';

/** How sql-limit divides its events: the events of a transaction, and the transactions at once. */
const batchSchema = z.object({ events: z.number().int().positive(), transactions: z.number().int().positive() });

/** See `batchSchema`. */
export type Batch = z.infer<typeof batchSchema>;

/** The load of sql-limit: it makes `count` events for each batch. No other run uses the word `run`. */
export const limitLoadSchema = z.object({
  kind: z.enum(EVENT_KINDS),
  run: z.string(),
  count: z.number(),
  batches: z.array(batchSchema).min(1),
});

/** See `limitLoadSchema`. */
export type LimitLoad = z.infer<typeof limitLoadSchema>;

/** The state of sql-limit: the events that are left, and the events per second of each batch that it has tried. */
export const limitStateSchema = z.object({ pending: z.number(), rates: z.array(z.number()) });

/** See `limitStateSchema`. */
export type LimitState = z.infer<typeof limitStateSchema>;
