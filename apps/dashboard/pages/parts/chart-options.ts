import type uPlot from 'uplot';
import { aloneIn } from './alone-in.ts';
import { measured, tickText, type Measure } from './measured.ts';

/** One curve. */
export interface Line {
  name: string;
  /** The custom property of its colour, such as `--good`. */
  color: string;
  values: readonly (number | null)[];
}

/** What lies between two ticks of an axis of times, in ms: steps that a clock has, so that none is at 1 min 40 s. */
const MS_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4].concat(
  [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_440].map((minutes) => minutes * 60_000),
);

/** What the curves show, in words: of each its last value and its highest. */
export function chartText(label: string, lines: readonly Line[], measure: Measure): string {
  const told = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    const top = known.reduce((highest, value) => Math.max(highest, value), 0);
    return `${name} ${measured(values.at(-1), measure)}, at most ${measured(top, measure)}`;
  });
  return `${label}. ${told.join('; ')}`;
}

/** A custom property of the style sheet, as it is in this scheme. */
function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Hours and minutes in the viewer's zone. */
function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** An axis with quiet lines. */
function axis(values: NonNullable<uPlot.Axis['values']>, more: Partial<uPlot.Axis>): uPlot.Axis {
  const line = colorOf('--line');
  return {
    stroke: colorOf('--ink-2'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    values,
    ...more,
  };
}

/** The top of the scale: a little air above the largest value, and never nothing. */
function scaleTop(_plot: uPlot, _min: number | null, max: number | null): [number, number] {
  return [0, Math.max(4, (max ?? 0) * 1.1)];
}

function alone(plot: uPlot, line: number): number[] {
  return aloneIn([...(plot.data[line] ?? [])]);
}

/** How uPlot draws the curves. */
export function chartOptions(
  chart: { lines: readonly Line[]; measure: Measure },
  size: { width: number; height: number },
): uPlot.Options {
  const { lines, measure } = chart;
  return {
    ...size,
    legend: { show: true, live: true },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    padding: [8, 20, 0, 0],
    scales: { x: { time: true }, y: { range: scaleTop } },
    axes: [
      axis((_plot, ticks) => ticks.map(clockTime), { space: 64, size: 28 }),
      axis((_plot, ticks) => ticks.map((tick) => tickText(tick, measure)), {
        size: 54,
        space: 32,
        ...(measure === 'ms' && { incrs: MS_STEPS }),
      }),
    ],
    series: [
      { label: 'Time', value: (_plot, at) => (at === null ? '–' : clockTime(at)) },
      ...lines.map(({ name, color }) => ({
        label: name,
        stroke: colorOf(color),
        width: 1.5,
        points: { show: true, size: 5, fill: colorOf(color), filter: alone },
        value: (_plot: uPlot, value: number | null) => measured(value, measure),
      })),
    ],
  };
}
