import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addCanaryAge } from '../src/add-canary-age.ts';

test('the age counts from when canaries began to be sent until one has come through', async () => {
  const registry = new Registry();
  let newest: number | undefined;
  addCanaryAge(registry, { newest: async () => newest }, { sentFrom: Date.now() - 90_000, keptMs: 0 });
  const age = async () => Number(/^landline_canary_age_seconds (\S+)$/m.exec(await registry.metrics())?.[1]);
  expect(await age()).toBeGreaterThanOrEqual(90);
  newest = Date.now();
  expect(await age()).toBeLessThan(60);
});

test('the age is absent while no canary has come through, grows from then on, and is never negative', async () => {
  const registry = new Registry();
  let newest: number | undefined;
  addCanaryAge(registry, { newest: async () => newest }, { keptMs: 0 });
  const age = async () => /^landline_canary_age_seconds (\S+)$/m.exec(await registry.metrics())?.[1];
  expect(await age()).toBeUndefined();
  newest = Date.now() - 90_000;
  const first = Number(await age());
  expect(first).toBeGreaterThanOrEqual(90);
  expect(first).toBeLessThan(120);
  newest -= 3_600_000;
  expect(Number(await age())).toBeGreaterThanOrEqual(first + 3600);
  newest = Date.now() + 60_000;
  expect(await age()).toBe('0');
  newest = undefined;
  expect(await age()).toBeUndefined();
});

test('however many ask at once, the mark is asked once', async () => {
  const registry = new Registry();
  let asked = 0;
  addCanaryAge(registry, { newest: async () => (asked++, Date.now() - 90_000) }, { keptMs: 3_600_000 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => registry.metrics()));
  expect(asked).toBe(1);
  for (const answer of answers) expect(answer).toMatch(/^landline_canary_age_seconds 9\d/m);
});
