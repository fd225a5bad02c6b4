import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const SECRET = 'wsec_0123456789abcdef0123456789abcdef';
const ON = { MONITOR: 'on', ELEVENLABS_WEBHOOK_SECRET: `${SECRET},${SECRET}_of_before`, ELEVENLABS_API_KEY: 'sk_1' };

test.each([{}, { MONITOR: '' }, { MONITOR: 'off', MONITOR_PORT: 'many' }])(
  'is off with %j, whatever else is set',
  (env) => {
    expect(readConfig(env)).toBe('off');
  },
);

test('sends to the receiver of this machine, signed with the newest secret, and listens on loopback', () => {
  expect(readConfig({ ...ON, PORT: '4000' })).toMatchObject({
    ok: true,
    config: {
      secret: SECRET,
      host: '127.0.0.1',
      port: 3005,
      webhookUrl: 'http://127.0.0.1:4000/api/elevenlabs/webhook',
      provider: { apiKey: 'sk_1', url: 'https://api.elevenlabs.io' },
    },
  });
  const MONITOR_WEBHOOK_URL = 'http://receiver:3000/api/elevenlabs/webhook';
  expect(readConfig({ ...ON, MONITOR_WEBHOOK_URL })).toMatchObject({ config: { webhookUrl: MONITOR_WEBHOOK_URL } });
});

test.each([
  [{ MONITOR: 'yes' }, 'MONITOR must be on or off'],
  [{ ...ON, ELEVENLABS_API_KEY: '' }, 'ELEVENLABS_API_KEY is not set'],
  [{ ...ON, ELEVENLABS_WEBHOOK_SECRET: '' }, 'ELEVENLABS_WEBHOOK_SECRET is not set'],
  [{ ...ON, MONITOR_WEBHOOK_URL: 'receiver:3000' }, 'MONITOR_WEBHOOK_URL must be a URL'],
  [{ ...ON, MONITOR_PORT: 'many' }, 'MONITOR_PORT must be a whole number'],
])('says what to do about %j, and no secret', (env, line) => {
  const read = readConfig(env);
  expect(read).toMatchObject({ ok: false, faults: expect.stringContaining(line) });
  expect(JSON.stringify(read)).not.toContain(SECRET);
});
