import { z } from 'zod';

/** How sql-limit cuts its events. */
export const batchSchema = z.object({
  /** Events of one transaction. */
  events: z.number().int().positive(),
  /** Transactions at once. */
  transactions: z.number().int().positive(),
});

/** See `batchSchema`. */
export type Batch = z.infer<typeof batchSchema>;

/** What sql-limit says of itself: events left, and the events per second of each batch that it has tried. */
export const limitStateSchema = z.object({ pending: z.number(), rates: z.array(z.number()) });

/** See `limitStateSchema`. */
export type LimitState = z.infer<typeof limitStateSchema>;
