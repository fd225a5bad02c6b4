import { get } from './post.ts';

/** The answer of a process at /metrics. */
export interface Scrape {
  /** The type of each metric, by name, also of a metric without samples. */
  types: Record<string, string>;
  /** Each sample's value, by its name and labels as printed. */
  samples: Record<string, number>;
}

/** Options of the request. */
export interface ScrapeOptions {
  headers?: Record<string, string>;
  /** How long the answer may take, in milliseconds; by default without limit. */
  limitMs?: number;
}

/** Reads the metrics of a process. */
export async function scrape(url: string, options: ScrapeOptions = {}): Promise<Scrape> {
  const { status, body } = await get(`${url}/metrics`, options);
  if (status !== 200) throw new Error(`${url}/metrics answered ${status}`);
  const types = [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  const samples = [...body.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm)];
  return {
    types: Object.fromEntries(types.map(([, name = '', type = '']) => [name, type])),
    samples: Object.fromEntries(samples.map(([, key = '', value]) => [key, Number(value)])),
  };
}

/** Returns the samples of one metric; of a histogram its buckets, sum and count. */
export function samplesOf({ samples }: Scrape, metric: string): Record<string, number> {
  const own = new RegExp(`^${metric}(_bucket|_sum|_count)?(\\{|$)`);
  return Object.fromEntries(Object.entries(samples).filter(([key]) => own.test(key)));
}

/**
 * Returns the value of a counter or a gauge, summed over its labels; undefined where there is no sample.
 *
 * @param label  Only samples with this label count, such as `class="timeout"`.
 */
export function valueOf({ samples }: Scrape, metric: string, label = ''): number | undefined {
  const own = Object.entries(samples).filter(([key]) => {
    const [name, labels = ''] = key.split('{', 2);
    return name === metric && labels.includes(label);
  });
  return own.length === 0 ? undefined : own.reduce((sum, [, value]) => sum + value, 0);
}
