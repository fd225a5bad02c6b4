import { median, type Measured } from '../results.ts';
import { formatNumber, formatValue } from './format-number.ts';
import type { GoalResult } from './report.ts';

/** A table to be read: the first row is its head. */
export interface Table {
  title: string;
  rows: string[][];
}

/** What each measure is called in headings, in the order of the report. */
export const MEASURE_TITLES: Readonly<Record<string, string>> = {
  accept: 'Accept: verified, fsynced requests',
  apply: 'Apply: a backlog into the tables',
  'end-to-end': 'End to end: from the load generator to the row',
  'ack-latency': 'Ack latency: from the moment a request was due to its 200',
  cost: 'Cost',
  growth: 'Growth: with more already there',
  scale: 'Scale: several receivers and workers',
  soak: 'Soak: one receiver under full load',
};

/** One table for each measure: contender, variant, and a column for each metric: the median, and the spread over the rounds. */
export function measureTables(measured: readonly Measured[]): Table[] {
  const known = Object.keys(MEASURE_TITLES);
  const others = [...new Set(measured.map(({ measure }) => measure))].filter((name) => !known.includes(name));
  return [...known, ...others].flatMap((measure) => {
    const own = measured.filter((one) => one.measure === measure);
    return own.length === 0 ? [] : [{ title: MEASURE_TITLES[measure] ?? measure, rows: rowsOf(own) }];
  });
}

/** More metrics than these stand below each other, and the contenders side by side. */
const MAX_METRIC_COLUMNS = 4;

function rowsOf(measured: readonly Measured[]): string[][] {
  const metrics = unique(measured.map(headOf));
  const contenders = unique(measured.map(({ contender }) => contender));
  const cell = (variant: string, contender: string, head: string) =>
    cellOf(measured.find((one) => one.variant === variant && one.contender === contender && headOf(one) === head));
  const rows = unique(measured.map(({ variant }) => variant)).flatMap((variant) => {
    const own = measured.filter((one) => one.variant === variant);
    return metrics.length > MAX_METRIC_COLUMNS
      ? unique(own.map(headOf)).map((head) => [variant, head, ...contenders.map((name) => cell(variant, name, head))])
      : unique(own.map(({ contender }) => contender)).map((name) => [
          variant,
          name,
          ...metrics.map((head) => cell(variant, name, head)),
        ]);
  });
  const [second, columns] = metrics.length > MAX_METRIC_COLUMNS ? ['metric', contenders] : ['contender', metrics];
  return [['variant', second, ...columns], ...rows];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function headOf({ metric, unit }: Measured): string {
  return unit.startsWith('/') ? `${metric}${unit}` : `${metric}, ${unit}`;
}

function cellOf(measured: Measured | undefined): string {
  if (!measured) return '';
  const { values } = measured;
  const middle = formatNumber(median(values));
  if (values.length === 1) return middle;
  return `${middle} (${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))})`;
}

/** The goals, what they are held against and what came out. */
export function goalTable(goals: readonly GoalResult[]): Table {
  const rows = goals.map(({ goal, target, value, unit, verdict, from }) => {
    return [goal, target, value === null ? '' : formatValue(value, unit), verdict, from];
  });
  return { title: 'The goals', rows: [['goal', 'target', 'measured', 'verdict', 'from'], ...rows] };
}

/** For a terminal: columns side by side. */
export function textOf({ title, rows }: Table): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [title, ...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n');
}

/** For a README. */
export function markdownOf({ title, rows }: Table): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.map(escapeCell).join(' | ')} |`);
  const rule = `| ${(rows[0] ?? []).map((_, i) => (i > 1 ? '---:' : '---')).join(' | ')} |`;
  return [`### ${title}`, '', head, rule, ...body].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
