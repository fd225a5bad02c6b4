import { CliError } from '../errors.ts';

const DURATION = /^(\d{1,9})([smhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

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
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNIT_MS[unit] ?? 0);
  const [, date, clock = '00:00', zone = 'Z'] = TIME.exec(text) ?? [];
  const at = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  if (!Number.isNaN(at)) return at;
  throw new CliError(
    'arguments_invalid',
    `${option} takes a time such as 2026-01-31T14:30:00Z or a duration such as 30m, 2h or 1d, not "${text}".`,
  );
}
