import { z } from 'zod';

/** The kind of a rebuild, as `operations.kind` has it. */
export const REBUILD = 'rebuild';

/** What is asked for, as `operations.filter` has it. */
export const rebuildRequestSchema = z.object({ swap: z.enum(['yes', 'no']).default('no') });

/** Where a rebuild goes on. */
export const rebuildCheckpointSchema = z.object({
  /** Where its tables are; after the swap, where the old ones are. */
  schema: z.string().optional(),
  /** All events up to here are folded. */
  position: z.object({ receivedAt: z.number(), id: z.string() }).optional(),
});

/** See `rebuildCheckpointSchema`. */
export type RebuildCheckpoint = z.infer<typeof rebuildCheckpointSchema>;
