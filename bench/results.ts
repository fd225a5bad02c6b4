/** The figures of one measurement of one contender, round by round. The report shows medians and spreads of `values`. */
export interface Measured {
  /** accept, apply, end-to-end, ack-latency, cost, growth, scale, held-workers, held-receivers, unit-cost or soak. */
  measure: string;
  /** Its variant within the measure: `64 connections, 0.3 KB`. */
  variant: string;
  /** A contender's or limit's name. */
  contender: string;
  /** The name of the figure: `events`, `rows`, `p99`, `memory of the receiver` … */
  metric: string;
  /** The unit of each value: `/s`, `ms`, `MB`, `commands/event`, `bytes/event`, `bytes`, `µs`, `CPU s/1,000 events`. */
  unit: string;
  /** A value for each round, in the order of the rounds. */
  values: number[];
}

/** Collects the figures. A value of the same name joins the values of the earlier rounds. */
export class Results {
  readonly #byName = new Map<string, Measured>();

  add(name: Omit<Measured, 'values'>, value: number): void {
    const key = JSON.stringify([name.measure, name.variant, name.contender, name.metric]);
    const present = this.#byName.get(key);
    if (present) present.values.push(value);
    else this.#byName.set(key, { ...name, values: [value] });
  }

  all(): Measured[] {
    return [...this.#byName.values()];
  }
}

/** Computes the median: the middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('No value was measured.');
  return (low + high) / 2;
}
