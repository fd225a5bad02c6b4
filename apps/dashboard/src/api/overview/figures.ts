import { quantile, type MinuteActivity } from '@landline/queue';
import type { Activity, Series } from '../contract/overview.ts';
import { iso } from '../shown-time.ts';

const MINUTE_MS = 60_000;

/** What is added up. */
type Counts = Omit<MinuteActivity, 'at'>;

/** Adds minutes up. */
export function sumOf(minutes: readonly Counts[]): Counts {
  const sum = { accepted: 0, refused: 0, applied: 0, fetched: 0, ignored: 0, duplicate: 0, dead: 0 };
  const receiptToRow: number[] = [];
  for (const minute of minutes) {
    sum.accepted += minute.accepted;
    sum.refused += minute.refused;
    sum.applied += minute.applied;
    sum.fetched += minute.fetched;
    sum.ignored += minute.ignored;
    sum.duplicate += minute.duplicate;
    sum.dead += minute.dead;
    for (const [i, count] of minute.receiptToRow.entries()) receiptToRow[i] = (receiptToRow[i] ?? 0) + count;
  }
  return { ...sum, receiptToRow };
}

/** What was counted, with the quantiles of the time from the receipt to the row. */
export function shownActivity({
  receiptToRow,
  accepted,
  refused,
  applied,
  fetched,
  ignored,
  duplicate,
  dead,
}: Counts): Activity {
  return {
    accepted,
    applied,
    fetched,
    ignored,
    duplicate,
    dead,
    refused,
    receipt_to_row_ms: { p50: rounded(quantile(receiptToRow, 0.5)), p99: rounded(quantile(receiptToRow, 0.99)) },
  };
}

/** The sums of the last `spanMs`, by whole minutes; the one that runs is the last of them. */
export function activitySince(minutes: readonly MinuteActivity[], at: number, spanMs: number): Activity {
  const first = startOf(at, MINUTE_MS) - spanMs + MINUTE_MS;
  return shownActivity(sumOf(minutes.filter((minute) => minute.at >= first && minute.at <= at)));
}

/** How long a curve is, and how fine. */
export const SPANS = {
  hour: { count: 60, stepMs: MINUTE_MS },
  day: { count: 144, stepMs: 10 * MINUTE_MS },
} as const;

/** The curves of an hour or a day. The last span is the one that runs. */
export function seriesOf(minutes: readonly MinuteActivity[], at: number, kind: keyof typeof SPANS): Series {
  const { count, stepMs } = SPANS[kind];
  const from = startOf(at, stepMs) - (count - 1) * stepMs;
  const spans: MinuteActivity[][] = Array.from({ length: count }, () => []);
  for (const minute of minutes) spans[Math.floor((minute.at - from) / stepMs)]?.push(minute);
  const shown = spans.map((span) => shownActivity(sumOf(span)));
  return {
    from: iso(from),
    step_seconds: stepMs / 1000,
    accepted: shown.map(({ accepted }) => accepted),
    applied: shown.map(({ applied }) => applied),
    dead: shown.map(({ dead }) => dead),
    refused: shown.map(({ refused }) => refused),
    p50_ms: shown.map(({ receipt_to_row_ms }) => receipt_to_row_ms.p50),
    p99_ms: shown.map(({ receipt_to_row_ms }) => receipt_to_row_ms.p99),
  };
}

function startOf(at: number, stepMs: number): number {
  return Math.floor(at / stepMs) * stepMs;
}

/** Interpolated values have more digits than meaning. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
