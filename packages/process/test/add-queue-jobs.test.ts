import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addQueueJobs, type CountedShard } from '../src/add-queue-jobs.ts';

type Counts = CountedShard['counts'];

function scrapeOf(counts: Counts): () => Promise<string[]> {
  const registry = new Registry();
  addQueueJobs(registry, () => [{ counts }]);
  return async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('landline_queue_jobs{'));
}

test('has a sample for each queue and state, counted at each scrape', async () => {
  const events = { waiting: 2, active: 1 };
  const scrape = scrapeOf({ events: async () => events, 'dead-letters': async () => ({ waiting: 7 }) });
  expect(await scrape()).toEqual([
    'landline_queue_jobs{queue="events",state="waiting"} 2',
    'landline_queue_jobs{queue="events",state="active"} 1',
    'landline_queue_jobs{queue="dead-letters",state="waiting"} 7',
  ]);
  events.waiting = 0;
  expect(await scrape()).toContain('landline_queue_jobs{queue="events",state="waiting"} 0');
});

test('a queue whose count fails has no samples, not those of before, and the other queues have theirs', async () => {
  let isAway = false;
  const scrape = scrapeOf({
    events: async () => {
      if (isAway) throw new Error('Redis is away');
      return { waiting: 2 };
    },
    'dead-letters': async () => ({ waiting: 7 }),
  });
  expect(await scrape()).toHaveLength(2);
  isAway = true;
  expect(await scrape()).toEqual(['landline_queue_jobs{queue="dead-letters",state="waiting"} 7']);
  isAway = false;
  expect(await scrape()).toHaveLength(2);
});

test('a count that does not answer delays a scrape by no more than its limit, and costs its own samples only', async () => {
  const scrape = scrapeOf({
    events: () => new Promise(() => {}),
    'dead-letters': async () => ({ waiting: 7 }),
  });
  expect(await scrape()).toEqual(['landline_queue_jobs{queue="dead-letters",state="waiting"} 7']);
});
