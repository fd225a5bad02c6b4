import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addBacklog, type BacklogLook } from '../src/add-backlog.ts';

function scrapeOf(looks: Parameters<typeof addBacklog>[1], keptMs = 0): () => Promise<string[]> {
  const registry = new Registry();
  addBacklog(registry, looks, { keptMs });
  return async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('landline_backlog'));
}

const look: BacklogLook = { events: 20, seconds: 4, oldestSeconds: 9 };

test('has the three samples of each shard', async () => {
  const scrape = scrapeOf({ 0: async () => look, 1: async () => ({ events: 0, seconds: 0, oldestSeconds: 0 }) });
  expect(await scrape()).toEqual([
    'landline_backlog_events{shard="0"} 20',
    'landline_backlog_events{shard="1"} 0',
    'landline_backlog_seconds{shard="0"} 4',
    'landline_backlog_seconds{shard="1"} 0',
    'landline_backlog_oldest_seconds{shard="0"} 9',
    'landline_backlog_oldest_seconds{shard="1"} 0',
  ]);
});

test('the gauges of one scrape share a look', async () => {
  let looks = 0;
  const scrape = scrapeOf({ 0: async () => ({ ...look, events: ++looks }) }, 60_000);
  await scrape();
  expect(await scrape()).toContain('landline_backlog_events{shard="0"} 1');
  expect(looks).toBe(1);
});

test('a shard whose look fails or does not come has no samples, not those of before, and the others have theirs', async () => {
  let isAway = false;
  const scrape = scrapeOf({
    0: async () => {
      if (isAway) throw new Error('Redis is away');
      return look;
    },
    1: () => (isAway ? new Promise(() => {}) : Promise.resolve(look)),
    2: async () => look,
  });
  expect(await scrape()).toHaveLength(9);
  isAway = true;
  expect((await scrape()).map((line) => line.replace(/.*shard="(\d)".*/, '$1'))).toEqual(['2', '2', '2']);
  isAway = false;
  expect(await scrape()).toHaveLength(9);
});
