import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { providerOf } from '../src/reconcile/provider-of.ts';

test('reads the defaults', () => {
  expect(readConfig({ DATABASE_URL: 'postgresql://u:p@h/d', LOG_LEVEL: '' })).toEqual({
    ok: true,
    config: {
      DATABASE_URL: 'postgresql://u:p@h/d',
      DIRECT_URL: '',
      REDIS_URL: 'redis://127.0.0.1:6379',
      HOST: '0.0.0.0',
      RECORDINGS_URL: '',
      WORKER_PORT: 3002,
      WORKER_CONCURRENCY: 32,
      SIGNATURE_TOLERANCE_SECONDS: 3600,
      BODY_RETENTION_DAYS: 90,
      LEDGER_RETENTION_DAYS: 400,
      REJECTED_RETENTION_DAYS: 14,
      ELEVENLABS_API_URL: 'https://api.elevenlabs.io',
      RECONCILE_INTERVAL_MINUTES: 15,
      RECONCILE_WINDOW_HOURS: 72,
      SPOOL_DIR: '.data/spool',
      SPOOL_LIMIT_BYTES: 8_589_934_592,
      BODY_LIMIT_BYTES: 268_435_456,
      retention: { bodies: 90, events: 400, rejected: 14 },
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

test('with a key of the provider, what is compared and how often is what the variables say', () => {
  const env = { DATABASE_URL: 'postgresql://u:p@h/d', PUBLIC_URL: 'https://calls.example.com', SPOOL_DIR: '/spool' };
  const given = { ...env, RECORDING_RETENTION_DAYS: '7', RECONCILE_INTERVAL_MINUTES: '1440' };
  const providerIn = (more: Record<string, string>) => {
    const read = readConfig({ ...given, ...more });
    if (!read.ok) throw new Error(read.faults);
    return providerOf(read.config);
  };
  expect(providerIn({ ELEVENLABS_API_KEY: '' })).toBeUndefined();
  expect(providerIn({ ELEVENLABS_API_KEY: ' sk_1\n' })).toEqual({
    apiKey: 'sk_1',
    apiUrl: 'https://api.elevenlabs.io',
    publicUrl: 'https://calls.example.com',
    everyMs: 86_400_000,
    windowHours: 72,
    keptDays: { conversations: undefined, recordings: 7 },
    spoolDir: '/spool/fetched',
    spoolLimitBytes: 8_589_934_592,
    eventLimitBytes: 268_435_456,
  });
  // What is fetched may be as large as what a receiver takes, but no larger than the spool.
  const key = { ELEVENLABS_API_KEY: 'sk_1', BODY_LIMIT_BYTES: '4294967296' };
  expect(providerIn(key)?.eventLimitBytes).toBe(4_294_967_296);
  expect(providerIn({ ...key, SPOOL_LIMIT_BYTES: '1073741824' })?.eventLimitBytes).toBe(939_524_096);
});

test.each([
  ['RECONCILE_INTERVAL_MINUTES', '0'],
  ['RECONCILE_INTERVAL_MINUTES', '1441'],
  ['RECONCILE_WINDOW_HOURS', '8761'],
  ['BODY_LIMIT_BYTES', '1023'],
  ['ELEVENLABS_API_URL', 'api.elevenlabs.io'],
  ['PUBLIC_URL', 'calls.example.com'],
])('refuses %s=%s', (name, value) => {
  const read = readConfig({ DATABASE_URL: 'postgresql://u:p@h/d', [name]: value });
  expect(read).toEqual({ ok: false, faults: expect.stringContaining(name) });
});

test('refuses days that do not go together', () => {
  const read = readConfig({ DATABASE_URL: 'postgresql://u:p@h/d', BODY_RETENTION_DAYS: '500' });
  expect(read).toEqual({
    ok: false,
    faults: expect.stringMatching(/^✖ LEDGER_RETENTION_DAYS \(400\) must be at least/),
  });
});

test.each([
  ['wsec_0123456789abcdef0123456789abcdef, "wsec_fedcba9876543210fedcba9876543210"', 2],
  // No receiver takes it; the worker applies events all the same.
  ['too short', undefined],
  ['', undefined],
])('a webhook secret of %j is for diagnoses alone', (secret, count) => {
  const read = readConfig({ DATABASE_URL: 'postgresql://u:p@h/d', ELEVENLABS_WEBHOOK_SECRET: secret });
  expect(read.ok && read.config.ELEVENLABS_WEBHOOK_SECRET?.secrets.length).toBe(count);
});
