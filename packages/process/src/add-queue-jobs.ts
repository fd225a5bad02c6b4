import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

/**
 * How long a count may take, in milliseconds. Prometheus gives up a scrape after ten seconds, and then all other
 * metrics would be missing too.
 */
const COUNT_LIMIT_MS = 1_000;

/** Counts a queue's jobs, by state. */
type Count = () => Promise<object>;

/** The queues of one shard. */
export interface CountedShard {
  /** The label `shard`; undefined where there is only one shard. */
  shard?: string | undefined;
  /** How to count each queue, by its name. */
  counts: Readonly<Record<string, Count>>;
}

/**
 * Adds the gauge `landline_queue_jobs{queue,state}`, counted at each scrape. A queue has no samples while its count
 * rejects or is late: an absent value means unknown, and an old value would be wrong.
 *
 * @param shards  Returns the shards that there are now.
 */
export function addQueueJobs(registry: Registry, shards: () => readonly CountedShard[]): void {
  const gauge: Gauge<'queue' | 'state' | 'shard'> = new Gauge({
    name: 'landline_queue_jobs',
    help: 'Jobs in Redis, by queue and state; no samples while Redis does not answer.',
    labelNames: ['queue', 'state', 'shard'],
    registers: [registry],
    async collect() {
      const counted = shards().flatMap(({ shard, counts }) =>
        Object.entries(counts).map(async ([queue, count]) => {
          const labels = { queue, ...(shard !== undefined && { shard }) };
          return { labels, states: await inTime(count) };
        }),
      );
      const found = await Promise.all(counted);
      gauge.reset();
      for (const { labels, states } of found) {
        for (const [state, jobs] of Object.entries(states)) gauge.set({ ...labels, state }, jobs);
      }
    },
  });
}

async function inTime(count: Count): Promise<object> {
  const late = delay(COUNT_LIMIT_MS, {}, { ref: false });
  return Promise.race([count(), late]).catch(() => ({}));
}
