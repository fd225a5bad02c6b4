/** What an operation's progress is read from. */
export interface Counted {
  status: string;
  total: number | null;
  done: number;
  failed: number;
  started_at: string | null;
  updated_at: string;
  finished_at: string | null;
}

/** How far it was at a moment of this machine, unix ms. */
export interface Sample {
  at: number;
  through: number;
}

/** The rate is that of this many ms: long enough to be calm, short enough to follow a change. */
const RATE_OF_MS = 10_000;

/** Statuses in which something still happens, or will. */
const OPEN: ReadonlySet<string> = new Set(['asked', 'planned', 'running']);

/** Whether the operation goes on. */
export function isOpen({ status }: { status: string }): boolean {
  return OPEN.has(status);
}

/** How many items it is through with, for good or not. */
export function through({ done, failed }: Counted): number {
  return done + failed;
}

/** From 0 to 1; null where nobody knows how many there are. One that is done is through. */
export function shareOf(operation: Counted): number | null {
  if (operation.status === 'done') return 1;
  if (operation.total === null) return null;
  if (operation.total === 0) return 0;
  return Math.min(1, through(operation) / operation.total);
}

/** The samples of the last seconds, with a new one. A count that went back begins anew. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && sample.through < last.through) return [sample];
  const recent = samples.filter(({ at }) => sample.at - at <= RATE_OF_MS);
  return [...recent, sample];
}

/** Items a second: of the samples where there are two a second apart, else over its whole run. Null before it has run. */
export function rateOf(operation: Counted, samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (isOpen(operation) && first && last && last.at - first.at >= 1_000) {
    return ((last.through - first.through) * 1_000) / (last.at - first.at);
  }
  if (operation.started_at === null) return null;
  const until = Date.parse(operation.finished_at ?? operation.updated_at);
  const ms = until - Date.parse(operation.started_at);
  return ms > 0 ? (through(operation) * 1_000) / ms : null;
}

/** Seconds that are left at this rate; null where it cannot be told. */
export function secondsLeft(operation: Counted, rate: number | null): number | null {
  if (operation.status !== 'running' || operation.total === null || rate === null || rate <= 0) return null;
  return Math.max(0, operation.total - through(operation)) / rate;
}

/** A rate with one digit where it is small. */
export function rateText(rate: number): string {
  return rate < 9.95 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en');
}

/** A time left in steps that do not flicker: seconds to a minute, then minutes. */
export function leftText(seconds: number): string {
  if (seconds < 1) return 'about to end';
  if (seconds < 10) return `${Math.ceil(seconds)} s left`;
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 1_440
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min left`
    : `${Math.round(minutes / 1_440)} d left`;
}

/** How often an operation that goes on is read, and one that has not been there for a while, in ms. */
const READ_MS = 1_000;
const MISSING_MS = 5_000;

/** How long one that is not there may be on its way, in ms. */
const ON_ITS_WAY_MS = 10_000;

/**
 * How often an operation is read, in ms; 0: not any more.
 *
 * @param missingMs  For how long the API has said that there is none with this id; undefined: it does not say so.
 */
export function readEveryMs(operation: { status: string } | undefined, missingMs: number | undefined): number {
  if (missingMs !== undefined) return missingMs < ON_ITS_WAY_MS ? READ_MS : MISSING_MS;
  return operation === undefined || isOpen(operation) ? READ_MS : 0;
}
