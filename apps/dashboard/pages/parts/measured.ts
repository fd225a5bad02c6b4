import { countText, durationText } from './relative-time.ts';

/** What the values are: numbers of things, or milliseconds. */
export type Measure = 'count' | 'ms';

/** A value with its unit. */
export function measured(value: number | null | undefined, measure: Measure): string {
  if (value === null || value === undefined) return '–';
  if (measure === 'count') return countText(value);
  return value < 1_000 ? `${Math.round(value)} ms` : durationText(value / 1_000);
}

/** A value beside an axis, which has room for few signs: its largest unit alone, such as `1.5 min`. */
export function tickText(value: number, measure: Measure): string {
  if (measure === 'count' || value < 60_000) return measured(value, measure);
  const [ms, unit] = value < 3_600_000 ? [60_000, 'min'] : [3_600_000, 'h'];
  return `${Math.round((value / ms) * 10) / 10} ${unit}`;
}
