import { median, type Measured } from '../results.ts';
import { drawBarChart, type Bar, type BarGroup } from './bar-chart.ts';
import { formatValue } from './format-number.ts';

/** A picture as a file. */
export interface Picture {
  /** `accept.svg`. */
  file: string;
  title: string;
  svg: string;
}

/** The measures that have a picture. It shows events a second, by variant and contender. */
const TITLES = { accept: 'Accept: verified and fsynced', 'end-to-end': 'End to end' } as const;

/** Draws the picture of each measure that has figures. */
export function drawPictures(measured: readonly Measured[]): Picture[] {
  return Object.entries(TITLES).flatMap(([measure, title]) => {
    const own = measured.filter((one) => one.measure === measure && one.metric === 'events');
    if (own.length === 0) return [];
    const rounds = Math.max(...own.map(({ values }) => values.length));
    const spread = rounds > 1 ? `, median of ${rounds} rounds, whiskers from the least to the greatest` : '';
    const svg = drawBarChart({ title, subtitle: `events/s${spread}`, groups: groupsOf(own) });
    return [{ file: `${measure}.svg`, title, svg }];
  });
}

/** Makes a group of bars for each variant: first the limits, then landline, then the other contenders. */
function groupsOf(measured: readonly Measured[]): BarGroup[] {
  const variants = [...new Set(measured.map(({ variant }) => variant))];
  return variants.map((title) => {
    const bars = measured.filter(({ variant }) => variant === title).map(barOf);
    return { title, bars: bars.toSorted((a, b) => RANK[a.kind] - RANK[b.kind]) };
  });
}

const RANK = { limit: 0, own: 1, other: 2 } as const;

function barOf({ contender, values, unit }: Measured): Bar {
  const kind = contender === 'landline' ? 'own' : contender.endsWith('-limit') ? 'limit' : 'other';
  const value = median(values);
  const text = formatValue(value, unit);
  return { label: contender, kind, text, value, low: Math.min(...values), high: Math.max(...values) };
}
