import { createLogger } from '@landline/process';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDatabaseGate } from '../src/database-gate.ts';

const WITHIN = { timeout: 20_000, interval: 5 };

test('opens again only when there is a connection for the first caller, and stays closed where there is none', async () => {
  const pings: { answer: () => void; fail: () => void }[] = [];
  const reader = {
    ping: () =>
      new Promise<void>((resolve, reject) => {
        pings.push({ answer: resolve, fail: () => reject(new Error('no connection')) });
      }),
    probe: () => Promise.resolve(),
    mark: () => () => Promise.resolve(),
  };
  const logger = createLogger({ name: 'test', level: 'silent' });
  const gate = createDatabaseGate({ reader, logger, limitMs: 250, onClose: () => undefined });
  onTestFinished(() => gate.stop());
  gate.close('database_slow');
  await vi.waitUntil(() => pings.length === 1, WITHIN);
  // The database has answered, and it is not sure yet that a caller could ask it in time.
  expect([gate.closedBecause(), gate.isUp()]).toEqual(['database_slow', false]);
  pings[0]?.fail();
  await vi.waitUntil(() => pings.length > 1, WITHIN);
  expect([gate.closedBecause(), gate.isUp()]).toEqual(['database_away', false]);
  pings.at(-1)?.answer();
  await vi.waitUntil(() => gate.isUp(), WITHIN);
  expect(gate.closedBecause()).toBeUndefined();
});
