import { z } from 'zod';
import { timeOrNull } from './fields.ts';

/** Who asks. */
export const sessionSchema = z.object({
  user: z.string(),
  /** When a browser's session ends; null for a script. */
  ends_at: timeOrNull,
});

export type Session = z.output<typeof sessionSchema>;
