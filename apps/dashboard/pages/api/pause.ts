/** The longest pause that faults alone lead to, in milliseconds. */
export const LONGEST_MS = 15_000;

/** The longest pause that an answer may ask for by Retry-After, in milliseconds. A timer of the browser holds no more than 24 days. */
const LONGEST_ASKED_MS = 3_600_000;

/** What went wrong, as far as the pause is concerned. */
interface Fault {
  status: number;
  /** What the answer asked for by Retry-After, in milliseconds. */
  retryAfterMs: number | undefined;
}

/** How a path is asked for. */
export interface Pace {
  /** The pause while all is well, in milliseconds. */
  everyMs: number;
  /** Faults in a row, this one included. */
  faults: number;
  /** Whether the pace stays while a server is away, whatever Retry-After says, so that one that is back is seen at once. */
  isSteady: boolean;
}

/** Statuses that the same request gets again. */
const IN_VAIN: ReadonlySet<number> = new Set([400, 410]);

/** Reads the header Retry-After, which has seconds or a date. Returns milliseconds; undefined where it has neither. */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_ASKED_MS);
}

/**
 * Returns the pause before the next request, in milliseconds; undefined where the request is not made again.
 *
 * The pause doubles with each fault. What is not there (404) may come yet, so it is asked for until the pause is at its longest.
 */
export function pauseAfter(
  { status, retryAfterMs = 0 }: Fault,
  { everyMs, faults, isSteady }: Pace,
): number | undefined {
  if (everyMs <= 0 || IN_VAIN.has(status)) return undefined;
  const doubled = Math.max(everyMs, Math.min(LONGEST_MS, everyMs * 2 ** faults));
  if (status === 404 && doubled >= LONGEST_MS) return undefined;
  if (isSteady && (status === 0 || status === 503)) return everyMs;
  return Math.max(doubled, retryAfterMs);
}
