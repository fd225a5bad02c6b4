import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { OperationProgress } from '../../src/operations/operation.ts';
import { createStore } from '../../src/store.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const LEASE_MS = 60_000;
const NOTHING: OperationProgress = { total: null, done: 0, failed: 0, message: null, checkpoint: null };

afterEach(async () => {
  await context.sql('DELETE FROM operations');
});

const table = () => context.store.operations;
const request = (kind = 'replay') => table().request({ kind, filter: { outcome: 'dead' } });
/** Lets the lease of every operation run out. */
const runOut = () => context.sql(`UPDATE operations SET lease_until = clock_timestamp() - interval '1 ms'`);

/** Lets a minute go by for an operation. */
const older = (id: string) =>
  context.sql(`UPDATE operations SET created_at = created_at - interval '61 seconds',
    lease_until = lease_until - interval '61 seconds', finished_at = finished_at - interval '61 seconds' WHERE id = '${id}'`);

/** All operations become so much older. */
const passes = (minutes: number) =>
  context.sql(`UPDATE operations SET created_at = created_at - interval '${minutes} minutes',
    lease_until = lease_until - interval '${minutes} minutes', finished_at = finished_at - interval '${minutes} minutes'`);

async function claim(kind = 'replay') {
  const claimed = await table().claim(kind, LEASE_MS);
  if (claimed === undefined) throw new Error('Nothing is due.');
  return claimed;
}

test('what is asked for is kept', async () => {
  const asked = await table().request({
    kind: 'replay',
    filter: { text: `it's "quoted"` },
    total: 7,
    rate: 3,
    requestedBy: 'cli:me',
  });
  expect(asked).toMatchObject({
    kind: 'replay',
    filter: { text: `it's "quoted"` },
    status: 'planned',
    total: 7,
    done: 0,
    failed: 0,
    rate: 3,
    requestedBy: 'cli:me',
    message: null,
    startedAt: null,
    finishedAt: null,
  });
  expect(await table().get(asked.id)).toEqual(asked);
  expect(await table().get('00000000-0000-4000-8000-000000000000')).toBeUndefined();
  const later = await request();
  expect((await table().list(10)).map(({ id }) => id)).toEqual([later.id, asked.id]);
  expect(await table().list(1)).toHaveLength(1);
});

test('what is asked for twice under one id is one operation, also at once', async () => {
  const id = '0a0b0c0d-1111-4222-8333-444455556666';
  const ask = (rate: number) => table().request({ id, kind: 'replay', filter: {}, rate });
  const asked = await Promise.all([ask(1), ask(2), ask(3)]);
  expect(new Set(asked.map((operation) => operation.id))).toEqual(new Set([id]));
  expect(new Set(asked.map(({ rate }) => rate)).size).toBe(1);
  const claimed = await claim();
  expect(await ask(4)).toEqual({ ...claimed, updatedAt: expect.any(Number) });
});

test('operations are listed page by page, the newest first, also within one millisecond', async () => {
  for (let i = 0; i < 3; i++) await request(`kind ${i}`);
  await context.sql('UPDATE operations SET created_at = (SELECT min(created_at) FROM operations)');
  const [first] = await table().list(1);
  const rest = await table().list(9, { after: first });
  const all = await table().list(9);
  expect([first, ...rest]).toEqual(all);
  expect(all).toHaveLength(3);
  expect(await table().list(9, { after: all[2] })).toEqual([]);
});

describe('one of each kind runs', () => {
  test('however many workers claim at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => request()));
    await request('rebuild');
    const stores = Array.from({ length: 4 }, () => createStore({ databaseUrl: context.url, poolSize: 2 }));
    onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
    const claims = stores.flatMap(({ operations }) => [
      operations.claim('replay', LEASE_MS),
      operations.claim('rebuild', LEASE_MS),
      operations.claim('replay', LEASE_MS),
    ]);
    const claimed = (await Promise.all(claims)).flatMap((operation) => operation?.kind ?? []);
    expect(claimed.toSorted()).toEqual(['rebuild', 'replay']);
    // The index says so too, whatever claims.
    const rest = context.sql(`UPDATE operations SET status = 'running' WHERE kind = 'replay'`);
    await expect(rest).rejects.toMatchObject({ code: '23505' });
  });

  test('the oldest first, and the next one when it has ended', async () => {
    const [first, second] = [await request(), await request()];
    const claimed = await claim();
    expect(claimed).toMatchObject({ id: first.id, status: 'running' });
    expect(claimed.startedAt).not.toBeNull();
    expect(await table().claim('replay', LEASE_MS)).toBeUndefined();
    expect(await table().finish(claimed, { ...NOTHING, done: 5, message: 'five' }, 'done')).toBe(true);
    expect(await table().get(first.id)).toMatchObject({ status: 'done', done: 5, message: 'five' });
    expect((await claim()).id).toBe(second.id);
    expect(await table().claim('replay', LEASE_MS)).toBeUndefined();
  });
});

test('a worker that can only refuse comes a minute after what somebody asked for, and an hour after a run of the schedule', async () => {
  const last = () => table().claim('replay', LEASE_MS, { isLastResort: true });
  const scheduled = await table().request({ kind: 'replay', filter: {}, requestedBy: 'schedule' });
  const asked = await table().request({ kind: 'replay', filter: {}, requestedBy: 'cli:me' });
  expect(await last()).toBeUndefined();
  await older(scheduled.id);
  expect(await last()).toBeUndefined();
  // Another worker is there: it has just been through with one.
  const done = await claim();
  expect(done.id).toBe(scheduled.id);
  await table().finish(done, NOTHING, 'done');
  await older(asked.id);
  expect(await last()).toBeUndefined();
  await older(scheduled.id);
  expect(await last()).toMatchObject({ id: asked.id, status: 'running' });
  // One whose worker has died a moment ago is left to the others too.
  await runOut();
  expect(await last()).toBeUndefined();
  await older(asked.id);
  const again = await last();
  expect(again).toMatchObject({ id: asked.id, fence: 2 });
  if (again !== undefined) await table().finish(again, NOTHING, 'failed');
  const left = await table().request({ kind: 'replay', filter: {}, requestedBy: 'schedule' });
  await passes(59);
  expect(await last()).toBeUndefined();
  await passes(2);
  expect(await last()).toMatchObject({ id: left.id });
});

test('a run of the schedule that was begun and left keeps nobody waiting: a worker that can only refuse ends it', async () => {
  const scheduled = await table().request({ kind: 'replay', filter: {}, requestedBy: 'schedule' });
  const asked = await table().request({ kind: 'replay', filter: {}, requestedBy: 'cli:me' });
  await claim();
  await runOut();
  await older(asked.id);
  const last = () => table().claim('replay', LEASE_MS, { isLastResort: true });
  expect(await last()).toBeUndefined();
  await older(scheduled.id);
  const left = await last();
  expect(left).toMatchObject({ id: scheduled.id, status: 'running' });
  if (left !== undefined) await table().finish(left, NOTHING, 'failed');
  // It has just been through with one itself.
  expect(await last()).toBeUndefined();
  await older(scheduled.id);
  expect(await last()).toMatchObject({ id: asked.id });
});

test('one of a kind is under way from its request to its end, however many others came after it', async () => {
  expect(await table().isUnderWay('rebuild')).toBe(false);
  await request('rebuild');
  await context.sql(
    `INSERT INTO operations (kind, created_at) SELECT 'replay', now() + interval '1 hour' FROM generate_series(1, 300)`,
  );
  expect(await table().isUnderWay('rebuild')).toBe(true);
  expect(await table().running('rebuild')).toBeUndefined();
  const claimed = await claim('rebuild');
  expect(await table().isUnderWay('rebuild')).toBe(true);
  expect(await table().running('rebuild')).toMatchObject({ id: claimed.id });
  await table().finish(claimed, { total: 1, done: 1, failed: 0, message: null, checkpoint: null }, 'done');
  expect(await table().isUnderWay('rebuild')).toBe(false);
  expect(await table().running('rebuild')).toBeUndefined();
});

describe('a worker that shows no life', () => {
  test('loses the operation to another one, which goes on at the checkpoint', async () => {
    await request();
    const held = await claim();
    const progress = { total: 9, done: 4, failed: 1, message: 'x', checkpoint: { position: ['a', 1] } };
    expect(await table().keep(held, progress, LEASE_MS)).toBe('kept');
    expect(await table().claim('replay', LEASE_MS)).toBeUndefined();
    await runOut();
    const taken = await claim();
    expect(taken).toMatchObject({ ...progress, id: held.id, startedAt: held.startedAt, fence: held.fence + 1 });
  });

  test('may write no more when it wakes', async () => {
    await request();
    const held = await claim();
    await runOut();
    const taken = await claim();
    expect(await table().keep(held, { ...NOTHING, done: 99 }, LEASE_MS)).toBe('lost');
    expect(await table().finish(held, { ...NOTHING, done: 99 }, 'done')).toBe(false);
    await table().release(held, { ...NOTHING, done: 99 });
    expect(await table().get(held.id)).toMatchObject({ status: 'running', done: 0 });
    expect(await table().keep(taken, { ...NOTHING, done: 1 }, LEASE_MS)).toBe('kept');
  });

  test('goes on where nobody has claimed it meanwhile', async () => {
    await request();
    const held = await claim();
    await runOut();
    expect(await table().keep(held, NOTHING, LEASE_MS)).toBe('kept');
    expect(await table().claim('replay', LEASE_MS)).toBeUndefined();
  });

  test('has its lease by the clock of the database', async () => {
    await request();
    const startedAt = performance.now();
    await table().claim('replay', 2_000);
    await expect
      .poll(() => table().claim('replay', LEASE_MS), { timeout: 20_000 })
      .toMatchObject({ status: 'running' });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_990);
  });
});

test('a worker that leaves gives its operation back, and another one has it at once', async () => {
  await request();
  const held = await claim();
  await table().release(held, { ...NOTHING, done: 3 });
  expect(await claim()).toMatchObject({ id: held.id, done: 3 });
});

describe('an operation is cancelled', () => {
  test('at once where nobody has begun', async () => {
    const { id } = await request();
    expect(await table().cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await table().claim('replay', LEASE_MS)).toBeUndefined();
    expect(await table().cancel(id)).toBeUndefined();
  });

  test('by its worker, which learns of it', async () => {
    const { id } = await request();
    const held = await claim();
    const asked = await table().cancel(id);
    expect(asked).toMatchObject({ status: 'running', finishedAt: null });
    expect(asked?.cancelRequestedAt).not.toBeNull();
    expect(await table().keep(held, NOTHING, LEASE_MS)).toBe('cancelled');
    expect(await table().finish(held, { ...NOTHING, done: 2 }, 'cancelled')).toBe(true);
    expect(await table().get(id)).toMatchObject({ status: 'cancelled', done: 2 });
  });

  test('at once where its worker is gone, and that worker may not end it otherwise', async () => {
    const { id } = await request();
    const held = await claim();
    await runOut();
    expect(await table().cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(await table().keep(held, NOTHING, LEASE_MS)).toBe('lost');
    expect(await table().finish(held, NOTHING, 'done')).toBe(false);
    expect(await table().get(id)).toMatchObject({ status: 'cancelled' });
  });
});

test('times are those of the database, and go up', async () => {
  await request();
  const held = await claim();
  await delay(5);
  await table().finish(held, NOTHING, 'failed');
  const { createdAt, startedAt, finishedAt, updatedAt } = (await table().get(held.id)) ?? held;
  expect(startedAt).toBeGreaterThanOrEqual(createdAt);
  expect(finishedAt).toBeGreaterThanOrEqual((startedAt ?? 0) + 4);
  expect(updatedAt).toBe(finishedAt);
});
