import { expect, test } from 'vitest';
import { summary } from '../src/start/summary.ts';

const up = (name: 'receiver' | 'worker' | 'dashboard') => ({ name, fault: () => undefined });

test('shows the addresses by their variables, and the user of the dashboard', () => {
  const env = { PORT: '4000', INITIATION_PORT: '4003', DASHBOARD_PORT: '4001', DASHBOARD_USER: 'sam' };
  const text = summary(env, [up('receiver')]);
  expect(text).toContain('  Webhooks    http://127.0.0.1:4000/api/elevenlabs/webhook\n');
  expect(text).toContain('  Callers     http://127.0.0.1:4003/api/elevenlabs/conversation-initiation ');
  expect(text).toContain('  Dashboard   http://127.0.0.1:4001   user sam, password: DASHBOARD_PASSWORD in .env\n');
});

test('names the default user, and no app where all of them are up', () => {
  const text = summary({}, [up('receiver'), up('worker'), up('dashboard')]);
  expect(text).toContain('user admin');
  expect(text).not.toContain('Not up');
});

test('lists only the apps that are not up, each with its fault', () => {
  const down = { name: 'initiation', fault: () => 'It ended (code 1).' } as const;
  const text = summary({}, [up('receiver'), { name: 'worker', fault: () => 'It is starting.' }, up('dashboard'), down]);
  const list =
    'Not up, and tried again until it is:\n  worker      It is starting.\n  initiation  It ended (code 1).\n\n';
  expect(text).toContain(list);
});

test.each([
  [{ INITIATION_TOKEN: 'a secret' }, 'token: INITIATION_TOKEN in .env'],
  [{ INITIATION_TOKEN_FILE: '/run/token' }, 'token: INITIATION_TOKEN in .env'],
  [{ INITIATION_TOKEN: '' }, 'answers 401 until INITIATION_TOKEN is set in .env'],
  [{}, 'answers 401 until INITIATION_TOKEN is set in .env'],
])('says of the token with %j: %s', (env, note) => {
  const text = summary(env, []);
  expect(text).toContain(`conversation-initiation   ${note}\n`);
  expect(text).not.toContain('a secret');
});

test.each([
  [
    { MONITOR: 'on', MONITOR_PORT: '4005', ELEVENLABS_API_KEY: 'a secret' },
    'Live events health: http://127.0.0.1:4005/health/ready\n',
  ],
  [{ MONITOR: 'on' }, 'Live events off: MONITOR=on needs ELEVENLABS_API_KEY in .env\n'],
  [{ MONITOR: 'true', ELEVENLABS_API_KEY: 'a secret' }, 'Live events off: MONITOR must be on or off\n'],
])('says where the live events are, where they are asked for', (env, line) => {
  expect(summary(env, [])).toContain(`  ${line}`);
  expect(summary(env, [])).not.toContain('a secret');
  expect(summary({}, [])).not.toContain('Live events');
});

test.each([
  [{}, 'off: set ELEVENLABS_API_KEY in .env (docs/nothing-missing.md)'],
  [
    { ELEVENLABS_API_KEY: '', RECONCILE_INTERVAL_MINUTES: '5' },
    'off: set ELEVENLABS_API_KEY in .env (docs/nothing-missing.md)',
  ],
  [{ ELEVENLABS_API_KEY: 'a secret' }, 'every 15 minutes'],
  [{ ELEVENLABS_API_KEY_FILE: '/run/key', RECONCILE_INTERVAL_MINUTES: '' }, 'every 15 minutes'],
  [{ ELEVENLABS_API_KEY: 'a secret', RECONCILE_INTERVAL_MINUTES: '60' }, 'every 60 minutes'],
  [{ ELEVENLABS_API_KEY: 'a secret', RECONCILE_INTERVAL_MINUTES: '1' }, 'every minute'],
  [
    { ELEVENLABS_API_KEY: 'a secret', RECONCILE_INTERVAL_MINUTES: '0' },
    'off: RECONCILE_INTERVAL_MINUTES must be a whole number of minutes from 1 to 1440',
  ],
])('with %j it says of the comparison with ElevenLabs: %s', (env, words) => {
  const text = summary(env, []);
  expect(text).toContain(`\n  Compares with ElevenLabs   ${words}\n`);
  expect(text).not.toContain('a secret');
});
