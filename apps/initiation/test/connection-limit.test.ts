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

test('one connection too many costs the oldest that has had no 200 its place, and never one that has', async () => {
  const app = await startInitiation(database.url, { maxConnections: 3 });
  const proven = await open(app.url);
  proven.write(request);
  await expect.poll(proven.received).toContain('200 OK');
  const [oldest, younger] = [await open(app.url), await open(app.url)];
  const newest = await open(app.url);
  await oldest.ended;
  newest.write(request);
  await expect.poll(newest.received).toContain('200 OK');
  expect([proven.hasEnded(), younger.hasEnded()]).toEqual([false, false]);
  proven.write(request);
  await expect.poll(() => proven.received().match(/200 OK/g)?.length).toBe(2);
});

test('where all are in use by ElevenLabs the newcomer goes', async () => {
  const app = await startInitiation(database.url, { maxConnections: 1 });
  const proven = await open(app.url);
  proven.write(request);
  await expect.poll(proven.received).toContain('200 OK');
  const newcomer = await open(app.url);
  await newcomer.ended;
  expect(proven.hasEnded()).toBe(false);
});
