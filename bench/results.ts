/** What one measurement of one contender gave, round by round. The report takes medians and spreads of `values`. */
export interface Measured {
  /** accept, apply, end-to-end, ack-latency, cost, growth, scale or soak. */
  measure: string;
  /** What distinguishes it within its measure: `64 connections, 0.3 KB`. */
  variant: string;
  /** A contender's or limit's name. */
  contender: string;
  /** What is measured: `events`, `rows`, `p99`, `memory of the receiver` … */
  metric: string;
  /** Of each value: `/s`, `ms`, `MB`, `commands/event`, `bytes/event`, `CPU s/1,000 events`. */
  unit: string;
  /** One a round, in the order of the rounds. */
  values: number[];
}

/** Collects what is measured: a value of the same name joins the earlier rounds'. */
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

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('No value was measured.');
  return (low + high) / 2;
}
