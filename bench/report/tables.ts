import { markdownTable } from '../../test/support/markdown.ts';
import { median, type Measured } from '../results.ts';
import { formatNumber, formatValue } from './format-number.ts';
import type { GoalResult } from './report.ts';

/** A table of texts. The first row is its head. */
export interface Table {
  title: string;
  rows: string[][];
}

/** The heading of each measure, in the order of the report. */
const MEASURE_TITLES = {
  accept: 'Accept: verified, fsynced requests',
  apply: 'Apply: a backlog into the tables',
  'end-to-end': 'End to end: from the load generator to the row',
  'ack-latency': 'Ack latency: from the moment a request was due to its 200',
  cost: 'Cost',
  growth: 'Growth: with more already there',
  scale: 'Scale: several receivers and workers',
  'held-workers': 'Held workers: each with a part of a core',
  'unit-cost': 'Unit cost: what one event takes of each part',
  'held-receivers': 'Held receivers: each with a part of a core',
  soak: 'Soak: one receiver under full load',
};

/** Makes a table for each measure: contender, variant, and a column for each metric, with the median and the spread over the rounds. */
export function measureTables(measured: readonly Measured[]): Table[] {
  return Object.entries(MEASURE_TITLES).flatMap(([measure, title]) => {
    const own = measured.filter((one) => one.measure === measure);
    return own.length === 0 ? [] : [{ title, rows: rowsOf(own) }];
  });
}

/** A measure with more metrics than this has a row for each metric, and a column for each contender. */
const MAX_METRIC_COLUMNS = 4;

function rowsOf(measured: readonly Measured[]): string[][] {
  const isWide = unique(measured.map(headOf)).length > MAX_METRIC_COLUMNS;
  const [rowOf, columnOf] = isWide ? [headOf, contenderOf] : [contenderOf, headOf];
  const columns = unique(measured.map(columnOf));
  const rows = unique(measured.map(({ variant }) => variant)).flatMap((variant) => {
    const own = measured.filter((one) => one.variant === variant);
    return unique(own.map(rowOf)).map((name) => {
      const cells = columns.map((column) => own.find((one) => rowOf(one) === name && columnOf(one) === column));
      return [variant, name, ...cells.map(cellOf)];
    });
  });
  return [['variant', isWide ? 'metric' : 'contender', ...columns], ...rows];
}

const contenderOf = ({ contender }: Measured): string => contender;

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

/** Makes the table of the goals: the bound, the figure and its parts. */
export function goalTable(goals: readonly GoalResult[]): Table {
  const rows = goals.map(({ goal, target, value, unit, verdict, from }) => {
    return [goal, target, value === null ? '' : formatValue(value, unit), verdict, from];
  });
  return { title: 'The goals', rows: [['goal', 'target', 'measured', 'verdict', 'from'], ...rows] };
}

/** Formats a table for a terminal, in columns. */
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

/** Formats a table as Markdown. */
export function markdownOf({ title, rows }: Table): string {
  return `### ${title}\n\n${markdownTable(rows, 2)}`;
}
