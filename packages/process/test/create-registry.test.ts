import { expect, test } from 'vitest';
import { addCounter, addGauge, createRegistry } from '../src/create-registry.ts';

test("a registry has Node's own metrics of the process", async () => {
  const text = await createRegistry().metrics();
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
  expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds \d/m);
});

test('a gauge has the value of the moment at which it is scraped', async () => {
  const registry = createRegistry();
  let waiting = 3;
  addGauge(registry, { name: 'landline_waiting', help: 'Groups that wait.', read: () => waiting });
  expect(await registry.metrics()).toMatch(/^# TYPE landline_waiting gauge\nlandline_waiting 3$/m);
  waiting = 1;
  expect(await registry.metrics()).toMatch(/^landline_waiting 1$/m);
});

test('a counter has the total at each scrape, not the sum of the totals', async () => {
  const registry = createRegistry();
  let total = 5;
  addCounter(registry, { name: 'landline_groups_total', help: 'Groups so far.', read: () => total });
  expect(await registry.metrics()).toMatch(/^# TYPE landline_groups_total counter\nlandline_groups_total 5$/m);
  expect(await registry.metrics()).toMatch(/^landline_groups_total 5$/m);
  total = 8;
  expect(await registry.metrics()).toMatch(/^landline_groups_total 8$/m);
});

test('a metric is read at a scrape only', async () => {
  const registry = createRegistry();
  let reads = 0;
  addGauge(registry, { name: 'landline_read', help: 'Reads.', read: () => ++reads });
  addCounter(registry, { name: 'landline_read_total', help: 'Reads.', read: () => ++reads });
  expect(reads).toBe(0);
  await registry.metrics();
  expect(reads).toBe(2);
});

test('two registries of one process may have a metric of the same name', async () => {
  const [one, other] = [createRegistry(), createRegistry()];
  addGauge(one, { name: 'landline_waiting', help: 'Groups that wait.', read: () => 1 });
  addGauge(other, { name: 'landline_waiting', help: 'Groups that wait.', read: () => 2 });
  expect(await one.metrics()).toMatch(/^landline_waiting 1$/m);
  expect(await other.metrics()).toMatch(/^landline_waiting 2$/m);
});
