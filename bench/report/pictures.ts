import { median, type Measured } from '../results.ts';
import { drawBarChart, type Bar, type BarGroup } from './bar-chart.ts';
import { formatNumber, formatValue } from './format-number.ts';
import { groupBy } from './group-by.ts';

/** A picture to be written. */
export interface Picture {
  /** `accept.svg`. */
  file: string;
  title: string;
  svg: string;
}

interface Kind {
  file: string;
  title: string;
  measure: string;
  /** Which metrics it shows: several are laid over each other in one bar. */
  metrics: RegExp;
  /** What makes a group: each variant with its contenders, or each metric with its variants. */
  by: 'variant' | 'metric';
}

const KINDS: readonly Kind[] = [
  { file: 'accept', title: 'Accept: verified and fsynced', measure: 'accept', metrics: /^events$/, by: 'variant' },
  { file: 'apply', title: 'Apply: a backlog into the tables', measure: 'apply', metrics: /^events$/, by: 'variant' },
  { file: 'apply-rows', title: 'Apply: rows written', measure: 'apply', metrics: /^rows$/, by: 'variant' },
  { file: 'end-to-end', title: 'End to end', measure: 'end-to-end', metrics: /^events$/, by: 'variant' },
  { file: 'row-latency', title: 'From 200 to row', measure: 'end-to-end', metrics: /^p\d/, by: 'variant' },
  {
    file: 'ack-latency',
    title: 'Until the 200, at fixed rates',
    measure: 'ack-latency',
    metrics: /^p\d/,
    by: 'variant',
  },
  {
    file: 'growth',
    title: 'Apply, with more already there',
    measure: 'growth',
    metrics: /^events$/,
    by: 'metric',
  },
  {
    file: 'growth-queries',
    title: 'Queries, with more already there',
    measure: 'growth',
    metrics: /^p50 of/,
    by: 'metric',
  },
  { file: 'scale', title: 'Several receivers and workers', measure: 'scale', metrics: /^events$/, by: 'metric' },
];

/** Draws what there is of the pictures. */
export function drawPictures(measured: readonly Measured[]): Picture[] {
  return KINDS.flatMap((kind) => {
    const own = measured.filter(({ measure, metric }) => measure === kind.measure && kind.metrics.test(metric));
    const unit = own[0]?.unit;
    if (unit === undefined) return [];
    const groups = kind.by === 'variant' ? byVariant(own) : byMetric(own);
    const svg = drawBarChart({ title: kind.title, subtitle: subtitleOf(own, unit), groups });
    return [{ file: `${kind.file}.svg`, title: kind.title, svg }];
  });
}

function subtitleOf(measured: readonly Measured[], unit: string): string {
  const rounds = Math.max(...measured.map(({ values }) => values.length));
  const metrics = [...new Set(measured.map(({ metric }) => metric))];
  const laid = metrics.every((metric) => /^p\d+(\.\d+)?$/.test(metric)) ? `${metrics.join(', ')} in ` : '';
  const what = laid === '' && unit.startsWith('/') ? `${metrics[0]}${unit}` : `${laid}${unit}`;
  const spread = rounds > 1 ? `, median of ${rounds} rounds, whiskers from the least to the greatest` : '';
  return `${what}${spread}`;
}

function byVariant(measured: readonly Measured[]): BarGroup[] {
  const groups = groupBy(measured, ({ variant }) => variant);
  return [...groups].map(([title, own]) => ({
    title,
    bars: [...groupBy(own, ({ contender }) => contender)]
      .map(([contender, figures]) => barOf(contender, contender, figures))
      .toSorted((a, b) => RANK[a.kind] - RANK[b.kind]),
  }));
}

function byMetric(measured: readonly Measured[]): BarGroup[] {
  const groups = groupBy(measured, ({ metric }) => metric);
  return [...groups].map(([title, own]) => ({
    title,
    bars: own.map((figure) => barOf(figure.variant, figure.contender, [figure])),
  }));
}

const RANK = { limit: 0, own: 1, other: 2 } as const;

function barOf(label: string, contender: string, figures: readonly Measured[]): Bar {
  const kind = contender === 'landline' ? 'own' : contender.endsWith('-limit') ? 'limit' : 'other';
  const lengths = figures.map(({ values }) => ({
    value: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
  }));
  const values = lengths.map(({ value }) => formatNumber(value));
  const unit = figures[0]?.unit ?? '';
  const text = lengths.length === 1 ? formatValue(lengths[0]?.value ?? 0, unit) : `${values.join(' / ')} ${unit}`;
  return { label, kind, text, lengths };
}
