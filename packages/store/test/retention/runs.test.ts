import { beforeEach, expect, test } from 'vitest';
import { withStore } from '../support/with-store.ts';

const context = withStore();
beforeEach(async () => {
  await context.sql('DELETE FROM operations');
});

const HOUR = 3_600_000;
const FILTER = { body_days: '90' };

/** Asks for a run as ten workers do at once; returns how many got one. */
async function tick(): Promise<number> {
  const asked = Array.from({ length: 10 }, () => context.store.retention.requestRun(FILTER, HOUR * 0.9));
  return (await Promise.all(asked)).filter(Boolean).length;
}

/** Ends the run that waits. */
async function end(done: number, status: 'done' | 'failed' = 'done'): Promise<void> {
  const claimed = await context.store.operations.claim('retention', 60_000);
  if (claimed === undefined) throw new Error('No run waits.');
  await context.store.operations.finish(
    claimed,
    { total: done, done, failed: 0, message: null, checkpoint: null },
    status,
  );
}

const later = (time: string) =>
  context.sql(`UPDATE operations SET created_at = created_at - interval '${time}', started_at = started_at - interval '${time}',
    finished_at = finished_at - interval '${time}'`);
const count = async () => (await context.store.operations.list(100)).length;

test('one tick has one run, however many ask, and the next tick has another', async () => {
  expect(await tick()).toBe(1);
  expect(await tick()).toBe(0);
  await end(1);
  expect(await tick()).toBe(0);
  await later('50 minutes');
  expect(await tick()).toBe(0);
  await later('5 minutes');
  expect(await tick()).toBe(1);
});

test('the schedule waits for a run that somebody has asked for, and comes soon after it', async () => {
  await context.store.operations.request({ kind: 'retention', filter: FILTER, requestedBy: 'cli:me' });
  expect(await tick()).toBe(0);
  await end(1);
  expect(await tick()).toBe(1);
});

test('the newest run that is done tells its policy, and how long ago it was', async () => {
  const { retention } = context.store;
  expect(await retention.lastRun()).toBeUndefined();
  expect(await retention.runAge()).toBeUndefined();
  await tick();
  await later('2 hours');
  expect(await retention.runAge()).toBeGreaterThanOrEqual(7_200);
  await end(1);
  expect(await retention.runAge()).toBeLessThan(600);
  expect(await retention.lastRun()).toMatchObject({ filter: FILTER });
  await later('2 hours');
  await tick();
  await end(0, 'failed');
  // One that failed is no run.
  expect(await retention.runAge()).toBeGreaterThanOrEqual(7_200);
});

test('runs that found nothing are kept for a day, and all operations as long as it is said', async () => {
  const { retention, operations } = context.store;
  const now = Date.now();
  for (const done of [0, 3, 0]) {
    // oxlint-disable no-await-in-loop -- one run after the other
    await tick();
    await end(done);
    await later('13 hours');
    // oxlint-enable no-await-in-loop
  }
  await operations.request({ kind: 'replay', filter: {} });
  await retention.deleteOperations(now - 400 * 24 * HOUR);
  // The first found nothing 39 hours ago. The last goes with none, for it is the newest.
  await later('2 days');
  await retention.deleteOperations(now - 400 * 24 * HOUR);
  expect((await operations.list(10)).map(({ kind, done }) => [kind, done])).toEqual([
    ['replay', 0],
    ['retention', 0],
    ['retention', 3],
  ]);
  await retention.deleteOperations(now + HOUR);
  expect((await operations.list(10)).map(({ kind }) => kind)).toEqual(['replay']);
  expect(await count()).toBe(1);
});
