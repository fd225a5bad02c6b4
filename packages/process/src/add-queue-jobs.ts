import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

/**
 * How long a count may take, in milliseconds. Prometheus gives up a scrape after ten seconds, and then all other
 * metrics would be missing too.
 */
const COUNT_LIMIT_MS = 1_000;

/** Counts a queue's jobs, by state. */
type Count = () => Promise<object>;

/**
 * Adds the gauge `landline_queue_jobs{queue,state}`, counted at each scrape. A queue has no samples while its count
 * rejects or is late: an absent value means unknown, and an old value would be wrong.
 *
 * @param counts  How to count each queue, by its name.
 */
export function addQueueJobs(registry: Registry, counts: Readonly<Record<string, Count>>): void {
  const gauge: Gauge<'queue' | 'state'> = new Gauge({
    name: 'landline_queue_jobs',
    help: 'Jobs in Redis, by queue and state; no samples while Redis does not answer.',
    labelNames: ['queue', 'state'],
    registers: [registry],
    async collect() {
      const found = await Promise.all(
        Object.entries(counts).map(async ([queue, count]) => ({ queue, states: await inTime(count) })),
      );
      gauge.reset();
      for (const { queue, states } of found) {
        for (const [state, jobs] of Object.entries(states)) gauge.set({ queue, state }, jobs);
      }
    },
  });
}

async function inTime(count: Count): Promise<object> {
  const late = delay(COUNT_LIMIT_MS, {}, { ref: false });
  return Promise.race([count(), late]).catch(() => ({}));
}
