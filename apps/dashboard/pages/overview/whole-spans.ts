import type { Series } from '../../src/api/contract/overview.ts';

/** The series without a span that has not ended yet: its counts are not whole, and the curve would seem to fall. */
export function wholeSpans(series: Series, at: string): Series {
  const whole = Math.floor((Date.parse(at) - Date.parse(series.from)) / 1_000 / series.step_seconds);
  const { accepted, applied, dead, refused, p50_ms, p99_ms } = series;
  const cut = <T>(values: readonly T[]): T[] => values.slice(0, Math.max(0, whole));
  return {
    ...series,
    accepted: cut(accepted),
    applied: cut(applied),
    dead: cut(dead),
    refused: cut(refused),
    p50_ms: cut(p50_ms),
    p99_ms: cut(p99_ms),
  };
}
