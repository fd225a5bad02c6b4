import { z } from 'zod';
import { EVENT_KINDS } from '../load/signed-events.ts';

/** How sql-limit cuts its events: so many in a transaction, and so many transactions at once. */
const batchSchema = z.object({ events: z.number().int().positive(), transactions: z.number().int().positive() });

/** See `batchSchema`. */
export type Batch = z.infer<typeof batchSchema>;

/** What sql-limit applies: `count` events of its own making by each batch. No other run has the word `run`. */
export const limitLoadSchema = z.object({
  kind: z.enum(EVENT_KINDS),
  run: z.string(),
  count: z.number(),
  batches: z.array(batchSchema).min(1),
});

/** See `limitLoadSchema`. */
export type LimitLoad = z.infer<typeof limitLoadSchema>;

/** What sql-limit says of itself: events left, and the events per second of each batch that it has tried. */
export const limitStateSchema = z.object({ pending: z.number(), rates: z.array(z.number()) });

/** See `limitStateSchema`. */
export type LimitState = z.infer<typeof limitStateSchema>;
