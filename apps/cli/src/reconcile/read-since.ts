import { CliError } from '../errors.ts';
import { readTime } from '../journal/read-time.ts';

/** No call of ElevenLabs' agents began before. */
const FIRST = Date.UTC(2020, 0, 1);

/** How far back calls are compared, in years. */
const MOST_YEARS = 10;

/**
 * Reads since when calls are compared, as `readTime` does.
 *
 * @param now  Unix ms.
 * @throws     {CliError} `arguments_invalid`, also for a time in the future, before 2020 or more than ten years ago.
 */
export function readSince(text: string, now: number): number {
  const at = readTime('--since', text, now);
  const earliest = Math.max(FIRST, new Date(now).setUTCFullYear(new Date(now).getUTCFullYear() - MOST_YEARS));
  if (at >= earliest && at <= now) return at;
  const day = new Date(earliest).toISOString().slice(0, 10);
  throw new CliError(
    'arguments_invalid',
    `--since takes a time from ${day} until now, or a duration such as 7d, not "${text}".`,
  );
}
