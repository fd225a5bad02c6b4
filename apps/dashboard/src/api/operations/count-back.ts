import { searchText, StoreError, type EventFilter, type Ledger } from '@landline/store';
import { timedOut } from '../faults.ts';

/** The first span that is counted by itself, in ms. Each later one is twice as long. */
const FIRST_SPAN_MS = 3_600_000;

/** A span that Postgres does not count in time is cut into so many. A minute is not cut any more. */
const CUT = 8;
const LEAST_SPAN_MS = 60_000;

/** No event is older. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);

/** How many events match, as far as they were counted. */
export interface CountedBack {
  total: number;
  byType: ReadonlyMap<string, number>;
  byOutcome: ReadonlyMap<string, number>;
  /** Events older than this were not looked at, in unix ms; undefined: all were. */
  backTo: number | undefined;
}

/** What was counted until now. */
interface Tally {
  total: number;
  byType: Map<string, number>;
  byOutcome: Map<string, number>;
  /** Where the count has come to; undefined: nothing was looked at. */
  backTo: number | undefined;
}

/** What is counted in. */
export type CountedLedger = Pick<Ledger, 'count' | 'page' | 'bodies'>;

/**
 * Counts the events that match, `text` included, from the newest back.
 *
 * @param signal  Says that the time is over: what was counted until then is the answer.
 * @throws        ApiFault `timed_out` where nothing was looked at until then; StoreError
 */
export async function countBack(
  ledger: CountedLedger,
  filter: EventFilter & { until: number },
  signal: AbortSignal,
): Promise<CountedBack> {
  const tally: Tally = { total: 0, byType: new Map(), byOutcome: new Map(), backTo: undefined };
  const { text } = filter;
  const work =
    text === undefined
      ? countSpans(ledger, filter, { tally, signal })
      : searchBack(ledger, { ...filter, text }, { tally, signal });
  const isWhole = await withinTime(work, signal);
  if (isWhole) return { ...tally, backTo: undefined };
  if (tally.backTo === undefined) throw timedOut();
  // A count that is still under way must not change what is answered.
  return { ...tally, byType: new Map(tally.byType), byOutcome: new Map(tally.byOutcome) };
}

/** Returns false where the time was over first. */
async function withinTime(work: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  // It may fail when nobody waits for it any more.
  work.catch(() => undefined);
  const answered = new AbortController();
  const over = new Promise<false>((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener('abort', () => resolve(false), { once: true, signal: answered.signal });
  });
  try {
    return await Promise.race([work, over]);
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  } finally {
    answered.abort();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof StoreError && error.faultClass === 'timeout';
}

interface Counting {
  tally: Tally;
  signal: AbortSignal;
}

/** Looks into the bodies. Returns whether all were looked at. */
async function searchBack(
  ledger: CountedLedger,
  filter: EventFilter & { text: string },
  { tally, signal }: Counting,
): Promise<boolean> {
  const steps = searchText(ledger, { filter, order: 'newest', signal });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before ended
    const step = await steps.next();
    if (step.done) return step.value;
    for (const { type, outcome } of step.value.found)
      add(tally, { total: 1, byType: { [type ?? 'unknown']: 1 }, byOutcome: { [outcome]: 1 } });
    tally.backTo = step.value.position.receivedAt;
  }
}

/** Has Postgres count all at once; where that takes it too long, span after span. Returns whether all were counted. */
async function countSpans(
  ledger: CountedLedger,
  filter: EventFilter & { until: number },
  { tally, signal }: Counting,
): Promise<boolean> {
  const { since = EARLIEST_MS } = filter;
  const all = await countOrLate(ledger, filter);
  if (all !== undefined) {
    add(tally, all);
    return true;
  }
  let until = filter.until;
  let span = FIRST_SPAN_MS;
  while (until > since && !signal.aborted) {
    const from = Math.max(since, until - span);
    // oxlint-disable-next-line no-await-in-loop -- from the newest back
    const counts = await countOrLate(ledger, { ...filter, since: from, until });
    if (counts === undefined && span <= LEAST_SPAN_MS) return false;
    if (counts === undefined) {
      span = Math.max(LEAST_SPAN_MS, Math.floor((until - from) / CUT));
    } else {
      add(tally, counts);
      tally.backTo = from;
      until = from;
      span *= 2;
    }
  }
  return until <= since;
}

type Counts = Awaited<ReturnType<Ledger['count']>>;

/** Returns undefined where Postgres did not count them in time. */
async function countOrLate(ledger: CountedLedger, filter: EventFilter): Promise<Counts | undefined> {
  try {
    return await ledger.count(filter);
  } catch (error) {
    if (isTimeout(error)) return undefined;
    throw error;
  }
}

function add(tally: Tally, { total, byType, byOutcome }: Pick<Counts, 'total' | 'byType' | 'byOutcome'>): void {
  tally.total += total;
  for (const [counts, more] of [
    [tally.byType, byType],
    [tally.byOutcome, byOutcome],
  ] as const) {
    for (const [name, count] of Object.entries(more)) counts.set(name, (counts.get(name) ?? 0) + count);
  }
}
