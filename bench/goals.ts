import { formatNumber, formatValue } from './report/format-number.ts';
import type { GoalResult } from './report/report.ts';
import { median, type Measured } from './results.ts';

/** A goal: a bound on one figure. A run that misses a goal does not fail, because machines differ. */
export interface Goal {
  goal: string;
  bound: 'at least' | 'below';
  target: number;
  unit: string;
  /** Computes the figure, and describes its parts. Undefined where a part was not measured. */
  compute: (measured: readonly Measured[]) => { value: number; from: string } | undefined;
}

/** A receiver's memory counts as flat when it changes by less than this between the second and the last fifth of a soak, in MB. */
export const FLAT_WITHIN_MB = 10;

/**
 * Eleven goals for one of each process, a bound on the cost of the journal, and eight goals for several processes. The figures are ratios of
 * medians of one run. Where there are several variants, the worst one counts. `landline` keeps no journal: like the other contenders, it relies on Redis alone.
 */
export const GOALS: readonly Goal[] = [
  atLeast(0.8, 'accept ÷ http-limit, 0.3 KB', (all) =>
    worst(rates(all, 'accept', 'landline', /\b0\.3 KB/), rates(all, 'accept', 'http-limit')),
  ),
  atLeast(0.85, 'accept with the journal ÷ without, 0.3 KB', (all) =>
    worst(rates(all, 'accept', 'landline-journal'), rates(all, 'accept', 'landline')),
  ),
  atLeast(40, 'apply ÷ queue-naive', (all) =>
    worst(rates(all, 'apply', 'landline', /live/), rates(all, 'apply', 'queue-naive')),
  ),
  atLeast(0.6, 'apply ÷ sql-limit', (all) =>
    worst(rates(all, 'apply', 'landline', /live/), rates(all, 'apply', 'sql-limit')),
  ),
  atLeast(40, 'end to end ÷ direct', (all) =>
    worst(rates(all, 'end-to-end', 'landline'), rates(all, 'end-to-end', 'direct')),
  ),
  atLeast(10, 'end to end ÷ the best other contender', (all) => {
    const others = rates(all, 'end-to-end').filter(({ contender }) => !contender.startsWith('landline'));
    const best = others.toSorted((a, b) => median(b.values) - median(a.values)).slice(0, 1);
    return worst(rates(all, 'end-to-end', 'landline'), best);
  }),
  below({ target: 1 }, 'p99 of the 200 at 2,000/s ÷ that of direct at 200/s', (all) => {
    const p99 = all.filter(({ measure, metric }) => measure === 'ack-latency' && metric === 'p99');
    const own = p99.find(({ contender, variant }) => contender === 'landline' && /^2,000\b/.test(variant));
    const other = p99.find(({ contender, variant }) => contender === 'direct' && /^200\b/.test(variant));
    return own && other && ratio(own, other);
  }),
  ...(
    [
      ['p50', 15],
      ['p99', 60],
    ] as const
  ).map(([metric, target]) =>
    below({ target, unit: 'ms' }, `${metric} from the 200 to the row at 200/s`, (all) => {
      const own = all.find(
        (one) =>
          one.measure === 'end-to-end' &&
          one.contender === 'landline-journal' &&
          one.variant === '200 to row, 200/s' &&
          one.metric === metric,
      );
      return own && { value: median(own.values), from: formatValue(median(own.values), own.unit) };
    }),
  ),
  atLeast(0.85, 'apply at 5 million messages ÷ at 10 thousand', (all) => {
    const [most] = rates(all, 'growth', 'landline', /^5 million messages/);
    const [fewest] = rates(all, 'growth', 'landline', /^10 thousand messages/);
    return most && fewest && ratio(most, fewest);
  }),
  below({ target: 0.2 }, 'Redis commands per event at full load', (all) => {
    const own = all.filter(({ measure, contender }) => measure === 'cost' && contender === 'landline');
    const commands = own.find(({ variant, metric }) => variant === 'full load' && metric === 'Redis commands');
    if (!commands) return undefined;
    const value = median(commands.values);
    return { value, from: `${formatNumber(value)} ${commands.unit}` };
  }),
  below(
    { target: 200, unit: 'MB' },
    `memory of a receiver under full load, flat within ${FLAT_WITHIN_MB} MB`,
    (all) => {
      const soak = all.filter(({ measure, contender }) => measure === 'soak' && contender === 'landline');
      const peak = soak.find(({ metric }) => metric.startsWith('peak memory'));
      const growth = soak.find(({ metric }) => metric === 'growth');
      if (!peak || !growth) return undefined;
      const grown = median(growth.values);
      const from = `${formatValue(median(peak.values), 'MB')} at its peak, ${formatValue(grown, 'MB')} more at the end`;
      // A memory that grows has no peak yet.
      return { value: grown < FLAT_WITHIN_MB ? median(peak.values) : Infinity, from };
    },
  ),
  atLeast(1.8, 'two held workers ÷ one', (all) => timesOne(rates(all, 'held-workers'), 2)),
  atLeast(3, 'four held workers ÷ one', (all) => timesOne(rates(all, 'held-workers'), 4)),
  below({ target: 10, unit: '%' }, 'sessions of held workers that wait for a lock', (all) => {
    const waiting = all.filter(({ measure, unit }) => measure === 'held-workers' && unit === '%');
    const most = waiting.toSorted((a, b) => median(b.values) - median(a.values))[0];
    return most && { value: median(most.values), from: most.variant };
  }),
  atLeast(3, 'four held receivers ÷ one', (all) => timesOne(rates(all, 'held-receivers'), 4)),
  ...(['each', 'all'] as const).flatMap((to) => {
    const named = (count: string) =>
      `${count} receivers and workers ÷ one with 64 connections to ${to}, on the same cores`;
    const found = (all: readonly Measured[]) => rates(all, 'scale', undefined, new RegExp(`connections to ${to},`));
    return [
      atLeast(0.9, named('two'), (all) => timesOne(found(all), 2)),
      atLeast(0.8, named('four'), (all) => timesOne(found(all), 4)),
    ];
  }),
];

/** Compares the figures with the goals. Answers a result for each goal. */
export function judgeGoals(measured: readonly Measured[], goals: readonly Goal[] = GOALS): GoalResult[] {
  return goals.map(({ goal, bound, target, unit, compute }) => {
    const named = { goal, unit, target: `${bound} ${target}${unit === '' ? '' : ` ${unit}`}` };
    const found = compute(measured);
    if (!found) return { ...named, verdict: 'not measured', value: null, from: '' };
    const met = bound === 'below' ? found.value < target : found.value >= target;
    const value = Number.isFinite(found.value) ? found.value : null; // JSON has no Infinity
    return { ...named, verdict: met ? 'met' : 'not met', value, from: found.from };
  });
}

function atLeast(target: number, goal: string, compute: Goal['compute']): Goal {
  return { goal, bound: 'at least', target, unit: '', compute };
}

function below({ target, unit = '' }: { target: number; unit?: string }, goal: string, compute: Goal['compute']): Goal {
  return { goal, bound: 'below', target, unit, compute };
}

function rates(all: readonly Measured[], measure: string, contender?: string, variant = /(?:)/): Measured[] {
  return all.filter(
    (one) =>
      one.measure === measure &&
      one.metric === 'events' &&
      (contender === undefined || one.contender === contender) &&
      variant.test(one.variant),
  );
}

/** A load, and the number of processes that shared it: `transcripts, 4 × 0.15 of a core`, `2 receivers and workers`. */
const PROCESSES = /^(.*?)(\d+) (?:×|receivers?\b)/;

function readVariant({ variant }: Measured): { load: string | undefined; processes: number } {
  const [, load, processes] = PROCESSES.exec(variant) ?? [];
  return { load, processes: Number(processes) };
}

/** Answers the lowest ratio of `count` processes to one process under the same load. */
function timesOne(own: readonly Measured[], count: number): { value: number; from: string } | undefined {
  const ratios = own.flatMap((one) => {
    const { load, processes } = readVariant(one);
    const single = own.find((other) => readVariant(other).load === load && readVariant(other).processes === 1);
    return processes === count && single ? [ratio(one, single)] : [];
  });
  return ratios.toSorted((a, b) => a.value - b.value)[0];
}

/** Answers the lowest ratio of two figures of the same variant. */
function worst(over: readonly Measured[], under: readonly Measured[]): { value: number; from: string } | undefined {
  const ratios = over.flatMap((one) => {
    const other = under.find(({ variant }) => variant === one.variant);
    return other ? [ratio(one, other)] : [];
  });
  return ratios.toSorted((a, b) => a.value - b.value)[0];
}

function ratio(over: Measured, under: Measured): { value: number; from: string } {
  const [a, b] = [median(over.values), median(under.values)];
  const where = over.variant === under.variant ? over.variant : `${over.variant}; ${under.variant}`;
  return { value: a / b, from: `${formatValue(a, over.unit)} ÷ ${formatValue(b, under.unit)} (${where})` };
}
