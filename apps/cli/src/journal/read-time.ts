import { readTime as readAnyTime } from '@landline/store/read-time';
import { CliError } from '../errors.ts';

/**
 * Reads the time that an option names: a duration before `now` (`30m`, `2h`, `1d`), or an ISO time. An ISO time without a zone is UTC, as
 * are the times that `journal list` prints.
 *
 * @param option  The option's name, for the message.
 * @param now     Unix ms.
 * @returns       Unix ms.
 * @throws        {CliError} `arguments_invalid`: `text` is neither.
 */
export function readTime(option: string, text: string, now: number): number {
  const at = readAnyTime(text, now);
  if (at !== undefined) return at;
  throw new CliError(
    'arguments_invalid',
    `${option} takes a time such as 2026-01-31T14:30:00Z or a duration such as 30m, 2h or 1d, not "${text}".`,
  );
}
