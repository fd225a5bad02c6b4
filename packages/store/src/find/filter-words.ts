import { z } from 'zod';
import { readTime } from './read-time.ts';

/** The longest value of a word, in characters; of `text`, where that is more. */
const MOST_CHARACTERS = 256;
export const MOST_TEXT_CHARACTERS = 1_000;

/** No event is older than the first; JavaScript and Postgres write times before the second in four digits. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
const LATEST_MS = Date.UTC(9999, 0, 1);

/** Makes the schema of a text. */
export function word(name: string, most = MOST_CHARACTERS) {
  const error = `${name} must be a text of 1 to ${most} characters`;
  return (
    z
      .string({ error })
      .min(1, { error })
      .max(most, { error })
      // No text of Postgres holds the first, and none the second as it is.
      .refine((text) => !text.includes('\0') && text.isWellFormed(), {
        error: `${name} has characters that no event has`,
      })
  );
}

/** Makes the schema of an optional word of a few. */
export function oneOf<const Values extends readonly [string, ...string[]]>(name: string, values: Values) {
  return z.enum(values, { error: `${name} must be one of ${values.join(', ')}` }).optional();
}

/**
 * Makes the schema of an optional time, which becomes unix ms.
 *
 * @param now  Unix ms, for durations such as `2h`.
 */
export function time(name: string, now: number) {
  const error = `${name} takes a time such as 2026-01-31T14:30:00Z, or a duration such as 30m, 2h or 7d`;
  return z
    .string({ error })
    .transform((text, context) => {
      const at = readTime(text, now);
      if (at !== undefined && at >= EARLIEST_MS && at < LATEST_MS) return at;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .optional();
}
