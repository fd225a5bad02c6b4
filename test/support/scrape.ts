/** What a process answered at /metrics. */
export interface Scrape {
  /** The type of each metric, by name; those without samples too. */
  types: Record<string, string>;
  /** Each sample's value, by name and labels as they stand there. */
  samples: Record<string, number>;
}

/** Asks a process for its metrics. */
export async function scrape(url: string, headers: Record<string, string> = {}): Promise<Scrape> {
  const answer = await fetch(`${url}/metrics`, { headers });
  if (!answer.ok) throw new Error(`${url}/metrics answered ${answer.status}`);
  const text = await answer.text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  const samples = [...text.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm)];
  return {
    types: Object.fromEntries(types.map(([, name = '', type = '']) => [name, type])),
    samples: Object.fromEntries(samples.map(([, key = '', value]) => [key, Number(value)])),
  };
}

/** The samples of one metric; of a histogram its buckets, sum and count. */
export function samplesOf({ samples }: Scrape, metric: string): Record<string, number> {
  const own = new RegExp(`^${metric}(_bucket|_sum|_count)?(\\{|$)`);
  return Object.fromEntries(Object.entries(samples).filter(([key]) => own.test(key)));
}
