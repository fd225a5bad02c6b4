import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

test('reads the defaults', () => {
  expect(readConfig({ DATABASE_URL: 'postgresql://u:p@h/d', LOG_LEVEL: '' })).toEqual({
    ok: true,
    config: {
      DATABASE_URL: 'postgresql://u:p@h/d',
      DIRECT_URL: '',
      REDIS_URL: 'redis://127.0.0.1:6379',
      HOST: '0.0.0.0',
      WORKER_PORT: 3002,
      WORKER_CONCURRENCY: 32,
      LOG_LEVEL: 'info',
    },
  });
});

test('lists every fault at once, and no value', () => {
  const read = readConfig({
    DATABASE_URL: 'mysql://user:hunter2@h',
    WORKER_CONCURRENCY: '0',
    WORKER_PORT: 'x',
    LOG_LEVEL: 'loud',
  });
  expect(read.ok).toBe(false);
  const faults = read.ok ? '' : read.faults;
  for (const name of ['DATABASE_URL', 'WORKER_CONCURRENCY', 'WORKER_PORT', 'LOG_LEVEL']) expect(faults).toContain(name);
  expect(faults).not.toContain('hunter2');
});
