import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { openConnection, rawPost, type RawConnection } from '../../../test/support/raw-connection.ts';
import { INITIATION_PATH } from '../src/initiation-route.ts';
import { startInitiation, TOKEN } from './support/an-initiation.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  return database.drop;
});

const request = rawPost(INITIATION_PATH, { 'x-landline-token': TOKEN }, '{"caller_id": "+12025550123"}');

async function open(url: string): Promise<RawConnection & { hasEnded: () => boolean }> {
  const connection = await openConnection(url);
  onTestFinished(connection.cut);
  let hasEnded = false;
  void connection.ended.then(() => (hasEnded = true));
  return { ...connection, hasEnded: () => hasEnded };
}

test('at one connection too many the oldest without a 200 is dropped, and never one that has had a 200', async () => {
  const app = await startInitiation(database.url, { maxConnections: 3 });
  const proven = await open(app.url);
  proven.write(request);
  await expect.poll(proven.received, { timeout: 20_000 }).toContain('200 OK');
  const [oldest, younger] = [await open(app.url), await open(app.url)];
  const newest = await open(app.url);
  await oldest.ended;
  newest.write(request);
  await expect.poll(newest.received, { timeout: 20_000 }).toContain('200 OK');
  expect([proven.hasEnded(), younger.hasEnded()]).toEqual([false, false]);
  proven.write(request);
  await expect.poll(() => proven.received().match(/200 OK/g)?.length, { timeout: 20_000 }).toBe(2);
});

test('where ElevenLabs uses all connections the new one is dropped', async () => {
  const app = await startInitiation(database.url, { maxConnections: 1 });
  const proven = await open(app.url);
  proven.write(request);
  await expect.poll(proven.received, { timeout: 20_000 }).toContain('200 OK');
  const newcomer = await open(app.url);
  await newcomer.ended;
  expect(proven.hasEnded()).toBe(false);
});

test('a client that has no token and reads no answers does not keep ElevenLabs out', async () => {
  const app = await startInitiation(database.url, { maxConnections: 1 });
  const { hostname, port } = new URL(app.url);
  const hog = connect(Number(port), hostname).on('error', () => undefined);
  onTestFinished(() => void hog.destroy());
  hog.pause();
  const asked = 'GET /health/live HTTP/1.1\r\nhost: landline\r\n\r\n'.repeat(100);
  // Sends until the system's buffers hold no more answers, so that an answer stays under way.
  for (let isTaken = true; isTaken;) {
    // oxlint-disable-next-line no-await-in-loop -- as fast as the system takes them
    isTaken = hog.write(asked) || (await Promise.race([once(hog, 'drain').then(() => true), delay(500, false)]));
  }
  const newcomer = await open(app.url);
  newcomer.write(request);
  await expect.poll(newcomer.received, { timeout: 20_000 }).toContain('200 OK');
});
