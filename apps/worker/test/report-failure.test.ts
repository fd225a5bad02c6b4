import { createLogger } from '@landline/process';
import { StoreError } from '@landline/store';
import { expect, test } from 'vitest';
import { createMetrics } from '../src/metrics.ts';
import { reportFailure } from '../src/process/report-failure.ts';

test('no failed attempt goes unseen, and what it quotes of an event is not logged', async () => {
  let log = '';
  const logger = createLogger({ name: 'worker', level: 'info', destination: { write: (line) => void (log += line) } });
  const metrics = createMetrics();
  const error = new StoreError('not now: "my secret words"', { faultClass: 'unknown', code: 'P0001' });
  reportFailure({ id: '7', attempt: 1, final: false, error }, { logger, metrics });
  reportFailure({ id: '7', attempt: 8, final: true, error }, { logger, metrics });

  const lines = log
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines).toMatchObject([
    { level: 40, job: '7', attempt: 1, code: 'P0001' },
    { level: 50, job: '7', attempt: 8, code: 'P0001' },
  ]);
  expect(log).not.toContain('secret words');
  const counted = await metrics.registry.metrics();
  expect(counted).toMatch(/attempts_failed_total\{final="false"\} 1/);
  expect(counted).toMatch(/attempts_failed_total\{final="true"\} 1/);
});
