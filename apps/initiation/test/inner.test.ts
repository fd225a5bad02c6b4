import { Socket } from 'node:net';
import { beforeAll, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { isInner } from '../src/is-inner.ts';
import { startInitiation } from './support/an-initiation.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  return database.drop;
});

test('the inner network reads health with the database, and the metrics', async () => {
  const app = await startInitiation(database.url);
  const health = async () => (await fetch(`${app.url}/health/ready`)).json();
  await expect.poll(health, { timeout: 20_000 }).toEqual({ status: 'ready', database: 'up' });
  expect(await (await fetch(`${app.url}/health/live`)).json()).toEqual({ status: 'live' });
  const metrics = await fetch(`${app.url}/metrics`);
  expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await metrics.text();
  for (const name of ['answers_total', 'answer_seconds', 'refused_total', 'database_up', 'events_total'])
    expect(text).toContain(`# TYPE landline_initiation_${name} `);
  expect(text).toContain('nodejs_eventloop_lag_seconds');
});

test.for([{ 'x-forwarded-for': '203.0.113.9' }, { forwarded: 'for=203.0.113.9' }])(
  'a request through a proxy (%o) gets the status alone',
  async (headers) => {
    const app = await startInitiation(database.url);
    expect(await (await fetch(`${app.url}/health/ready`, { headers })).json()).toEqual({ status: 'ready' });
    expect((await fetch(`${app.url}/metrics`, { headers })).status).toBe(404);
  },
);

test.for([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.1.2.3', true],
  ['::ffff:192.168.0.7', true],
  ['172.16.0.1', true],
  ['172.31.255.255', true],
  ['fd00::1', true],
  ['fe80::1%eth0', true],
  ['172.32.0.1', false],
  ['203.0.113.9', false],
  ['::ffff:203.0.113.9', false],
  ['2001:db8::1', false],
  ['', false],
] as const)('%s is of the inner network: %s', ([remoteAddress, expected]) => {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  expect(isInner({ headers: {}, socket })).toBe(expected);
});
