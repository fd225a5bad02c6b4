const DURATION = /^(\d{1,9})([smhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

/**
 * Reads a time as commands take it: a duration before `now` (`30m`, `2h`, `7d`), or an ISO time. An ISO time without a zone is UTC.
 *
 * @param now  Unix ms.
 * @returns    Unix ms; undefined where `text` is neither.
 */
export function readTime(text: string, now: number): number | undefined {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNIT_MS[unit] ?? 0);
  const [, date, clock = '00:00', zone = 'Z'] = TIME.exec(text) ?? [];
  if (date === undefined || !isDay(date)) return undefined;
  const at = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  return Number.isNaN(at) ? undefined : at;
}

/** JavaScript takes February 30 for a day in March. */
function isDay(date: string): boolean {
  const at = Date.parse(date);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}
