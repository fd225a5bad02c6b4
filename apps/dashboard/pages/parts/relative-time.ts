const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Less than this ahead is a clock that differs. */
const AHEAD = 30 * SECOND;

/** Above this, a date says more than a number of days. */
const DATE_FROM = 7 * DAY;

/** How long ago in few words: `4 s ago`, `3 min ago`, `2 h ago`, `5 d ago`, then the date. Ahead: `in 3 min`. */
export function relativeTime(at: number, now: number): string {
  const ago = Math.abs(now - at);
  if (ago >= DATE_FROM) return shortDate(at, now);
  // The viewer's clock may be a little behind that of the line: what has come is not ahead.
  if (ago < SECOND || (at > now && ago < AHEAD)) return 'now';
  const words = lasting(ago);
  return at <= now ? `${words} ago` : `in ${words}`;
}

/** The largest unit of a span, rounded down. */
function lasting(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** Day and month in the viewer's zone, and the year where it is another one. */
function shortDate(at: number, now: number): string {
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const format: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };
  return new Date(at).toLocaleDateString('en-GB', isThisYear ? format : { ...format, year: 'numeric' });
}

/** The exact time in the viewer's zone, with milliseconds and the zone. */
export function exactTime(at: number): string {
  return new Date(at).toLocaleString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'short',
  });
}

/** A length of time: `0.4 s`, `12 s`, `4 min 07 s`, `1 h 03 min`, `2 d 4 h`. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor((minutes % 1_440) / 60)} h`;
}

/** Bytes in units of a thousand: `980 B`, `1.2 kB`, `40 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A count with its thousands apart: `1,204`. */
export function countText(n: number): string {
  return n.toLocaleString('en');
}
