import { expect, test } from 'vitest';
import {
  addressOf,
  APPS,
  DASHBOARD,
  drainMs,
  environmentOf,
  INITIATION,
  MONITOR,
  portOf,
  portsOf,
  RECEIVER,
  WORKER,
} from '../src/start/apps.ts';
import { monitorState } from '../src/start/monitor-state.ts';

/** An environment that has every variable of every app, and secrets that no app reads. */
const FULL = {
  ...Object.fromEntries(APPS.flatMap(({ variables }) => variables.map((name) => [name, `the ${name}`]))),
  PATH: '/usr/bin',
  ADMIN_DATABASE_URL: 'postgresql://admin',
  GITHUB_TOKEN: 'mine',
};

test.each([
  [
    RECEIVER,
    [
      'DATABASE_URL',
      'DIRECT_URL',
      'READER_DATABASE_URL',
      'DASHBOARD_PASSWORD',
      'API_TOKEN',
      'INITIATION_TOKEN',
      'ELEVENLABS_API_KEY',
    ],
  ],
  [WORKER, ['READER_DATABASE_URL', 'DASHBOARD_PASSWORD', 'API_TOKEN', 'INITIATION_TOKEN']],
  [DASHBOARD, ['ELEVENLABS_WEBHOOK_SECRET', 'ELEVENLABS_API_KEY', 'DATABASE_URL', 'DIRECT_URL', 'INITIATION_TOKEN']],
  [
    INITIATION,
    [
      'AWS_SECRET_ACCESS_KEY',
      'ELEVENLABS_WEBHOOK_SECRET',
      'ELEVENLABS_API_KEY',
      'DATABASE_URL',
      'DIRECT_URL',
      'DASHBOARD_PASSWORD',
      'API_TOKEN',
    ],
  ],
])('gives $name its own variables, and no secret of another app', (app, secrets) => {
  const given = environmentOf(app, FULL);
  expect(given).toMatchObject({ PATH: '/usr/bin', REDIS_URL: 'the REDIS_URL' });
  for (const name of [...secrets, 'ADMIN_DATABASE_URL', 'GITHUB_TOKEN']) {
    expect(given).not.toHaveProperty(name);
  }
});

test('gives the monitor the key of the provider and the secret of the webhook, and no way to Redis or Postgres', () => {
  const given = environmentOf(MONITOR, FULL);
  expect(given).toMatchObject({ ELEVENLABS_API_KEY: 'the ELEVENLABS_API_KEY', MONITOR: 'the MONITOR' });
  expect(Object.keys(given).filter((name) => /REDIS|DATABASE|AWS|TOKEN|PASSWORD/.test(name))).toEqual([]);
});

test.each([
  [{}, 'off'],
  [{ MONITOR: 'off', ELEVENLABS_API_KEY: 'a key' }, 'off'],
  [{ MONITOR: 'true', ELEVENLABS_API_KEY: 'a key' }, 'invalid'],
  [{ MONITOR: 'on' }, 'keyless'],
  [{ MONITOR: 'on', ELEVENLABS_API_KEY: 'a key' }, 'on'],
  [{ MONITOR: 'on', ELEVENLABS_API_KEY_FILE: '/run/key' }, 'on'],
])('the monitor of %j is %s', (env, state) => {
  expect(monitorState(env)).toBe(state);
});

test('gives the credentials of the storage to who stores recordings, who removes them, and who plays them', () => {
  for (const app of [RECEIVER, WORKER, DASHBOARD]) {
    const storage = { RECORDINGS_URL: 'the RECORDINGS_URL', AWS_SECRET_ACCESS_KEY: 'the AWS_SECRET_ACCESS_KEY' };
    expect(environmentOf(app, FULL)).toMatchObject(storage);
  }
});

test('hands every app what loads an OpenTelemetry SDK, and what that reads', () => {
  const env = { NODE_OPTIONS: '--import=/telemetry.mjs', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  for (const app of APPS) expect(environmentOf(app, env)).toMatchObject(env);
});

test('hands on the file of a secret, and the file of no other one', () => {
  const env = { REDIS_URL_FILE: '/run/redis', API_TOKEN_FILE: '/run/token', DIRECT_URL_FILE: '/run/owner' };
  expect(environmentOf(DASHBOARD, env)).toEqual({
    REDIS_URL_FILE: '/run/redis',
    API_TOKEN_FILE: '/run/token',
    HOST: '127.0.0.1',
  });
});

test.each([
  ['READER_DATABASE_URL', { READER_DATABASE_URL: 'postgresql://reader' }],
  ['the file of READER_DATABASE_URL', { READER_DATABASE_URL_FILE: '/run/reader' }],
])('gives who only reads no DATABASE_URL beside %s', (_, reader) => {
  const env = { DATABASE_URL: 'postgresql://writer', DATABASE_URL_FILE: '/run/writer', ...reader };
  expect(environmentOf(INITIATION, env)).toEqual({ ...reader, HOST: '0.0.0.0' });
  expect(environmentOf(DASHBOARD, env)).toEqual({ ...reader, HOST: '127.0.0.1' });
});

test.each([INITIATION, DASHBOARD])('gives $name DATABASE_URL where READER_DATABASE_URL is empty', (app) => {
  const env = { DATABASE_URL: 'postgresql://writer', READER_DATABASE_URL: '' };
  expect(environmentOf(app, env)).toMatchObject({ DATABASE_URL: 'postgresql://writer' });
});

test('HOST opens the receiver and the initiation, and never the worker and the dashboard', () => {
  const hosts = APPS.map((app) => [app.name, environmentOf(app, { HOST: '10.0.0.7' })['HOST']]);
  expect(Object.fromEntries(hosts)).toEqual({
    receiver: '10.0.0.7',
    initiation: '10.0.0.7',
    worker: '127.0.0.1',
    dashboard: '127.0.0.1',
    monitor: '127.0.0.1',
  });
});

test.each([{}, { DRAIN_SECONDS: '' }])('the receiver drains for no time with %j', (env) => {
  expect(environmentOf(RECEIVER, env)).toMatchObject({ DRAIN_SECONDS: '0' });
  expect(drainMs(RECEIVER, env)).toBe(0);
});

test('only an app that reads DRAIN_SECONDS drains', () => {
  const env = { DRAIN_SECONDS: '7' };
  expect(APPS.map((app) => [app.name, drainMs(app, env)])).toEqual([
    ['receiver', 7_000],
    ['worker', 0],
    ['dashboard', 0],
    ['initiation', 0],
    ['monitor', 0],
  ]);
  expect(drainMs(RECEIVER, { DRAIN_SECONDS: 'long' })).toBe(0);
});

test('every port has a default of its own, and a variable', () => {
  const ports = APPS.flatMap((app) => portsOf(app, {}));
  expect(ports).toEqual([
    { variable: 'PORT', port: 3000 },
    { variable: 'HEALTH_PORT', port: 3004 },
    { variable: 'WORKER_PORT', port: 3002 },
    { variable: 'DASHBOARD_PORT', port: 3001 },
    { variable: 'INITIATION_PORT', port: 3003 },
    { variable: 'MONITOR_PORT', port: 3005 },
  ]);
  const env = Object.fromEntries(ports.map(({ variable }, i) => [variable, String(4000 + i)]));
  expect(APPS.flatMap((app) => portsOf(app, env)).map(({ port }) => port)).toEqual([
    4000, 4001, 4002, 4003, 4004, 4005,
  ]);
});

test('an empty port is the default, and a port that is no number stays for the app to refuse', () => {
  expect(portOf(WORKER, { WORKER_PORT: '' })).toBe(3002);
  expect(portOf(WORKER, { WORKER_PORT: 'many' })).toBeNaN();
});

test.each([
  [{}, 'http://127.0.0.1:3000'],
  [{ HOST: '' }, 'http://127.0.0.1:3000'],
  [{ HOST: '0.0.0.0', PORT: '80' }, 'http://127.0.0.1:80'],
  [{ HOST: '::' }, 'http://127.0.0.1:3000'],
  [{ HOST: '::1' }, 'http://[::1]:3000'],
  [{ HOST: '10.0.0.7' }, 'http://10.0.0.7:3000'],
])('reaches the receiver of %j at %s', (env, url) => {
  expect(addressOf(RECEIVER, env)).toBe(url);
});

test('reaches the worker on this machine, also where HOST names another address', () => {
  expect(addressOf(WORKER, { HOST: '10.0.0.7' })).toBe('http://127.0.0.1:3002');
});
