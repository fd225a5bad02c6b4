import { expect, test } from 'vitest';
import { readMetricsTable } from '../../../test/support/metrics-table.ts';
import { createApp } from '../src/app.ts';
import { createMetrics } from '../src/metrics.ts';

const STATE = { calls: () => 7, isProviderUp: () => false, isReceiverUp: () => true };

test('the metrics are those of docs/metrics.md, and each sample is there from the beginning', async () => {
  const metrics = createMetrics(STATE);
  const app = createApp({ metrics, health: () => ({ provider: 'away', receiver: 'up' }), isDraining: () => false });
  const text = (await app.inject('/metrics')).body;
  const types = [...text.matchAll(/^# TYPE (landline_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]);
  const table = readMetricsTable('Monitor');
  expect(Object.fromEntries(types)).toEqual(Object.fromEntries(table.map(({ name, type }) => [name, type])));
  for (const { name, labels } of table) {
    const [, found = ''] = new RegExp(`^${name}(?:\\{(.*)\\})? \\d`, 'm').exec(text) ?? [];
    expect([name, [...found.matchAll(/(\w+)=/g)].map(([, label]) => label)]).toEqual([name, labels]);
  }
  expect(text).toContain('landline_monitor_calls 7\n');
  expect(text).toContain('landline_monitor_provider_up 0\n');
  expect(text).toContain('landline_monitor_receiver_up 1\n');
  await app.close();
});

const health = () => ({ provider: 'away', receiver: 'up' }) as const;

test('is ready also while the provider is away, and not while it stops', async () => {
  let isDraining = false;
  const app = createApp({ metrics: createMetrics(STATE), health, isDraining: () => isDraining });
  const ready = async () => {
    const { statusCode, body } = await app.inject('/health/ready');
    return [statusCode, JSON.parse(body)];
  };
  expect(await ready()).toEqual([200, { status: 'ready', provider: 'away', receiver: 'up' }]);
  isDraining = true;
  expect(await ready()).toEqual([503, { status: 'draining', provider: 'away', receiver: 'up' }]);
  expect((await app.inject('/health/live')).statusCode).toBe(200);
  await app.close();
});
