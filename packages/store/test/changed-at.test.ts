import { expect, test } from 'vitest';
import { createStore } from '../src/store.ts';
import { anEvent, AT } from './support/an-event.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const MINUTE = 60_000;

const message = (at: number, more: object = {}) =>
  anEvent({ type: 'conversation.message', at, data: { conversation_id: 'c', message_id: 'm', ...more } });

/** Rows whose time is later than `since`, as a reader who polls asks for them. */
const changedSince = async (since: unknown) =>
  (await context.sql(`SELECT id FROM conversations WHERE changed_at > '${String(since)}' ORDER BY changed_at`)).map(
    ({ id }) => id,
  );

const now = async () => (await context.sql(`SELECT clock_timestamp()::timestamptz(3)::text AS now`))[0]?.['now'];
const aMomentLater = () => context.sql('SELECT pg_sleep(0.005)');

test('changed_at is when the row was written here, whatever time its events name', async () => {
  const before = await now();
  await aMomentLater();
  await context.store.apply([message(AT)]);
  expect(await changedSince(before)).toEqual(['c']);
  await aMomentLater();

  const beforeMore = await now();
  await aMomentLater();
  await context.store.apply([message(AT - MINUTE, { user_id: 'late' })]);
  expect(await changedSince(beforeMore)).toEqual(['c']);
  expect(await context.sql(`SELECT updated_at < '${String(beforeMore)}' AS is_old FROM conversations`)).toEqual([
    { is_old: true },
  ]);
});

test('an event that changes nothing in the row leaves changed_at as it is', async () => {
  await context.store.apply([message(AT)]);
  await aMomentLater();
  const after = await now();
  await context.store.apply([message(AT)]);
  await context.store.apply([message(AT - MINUTE / 2)]);
  expect(await changedSince(after)).toEqual([]);
});

test('of two writers of a row the later one has the later time, though its transaction began first', async () => {
  const other = createStore({ databaseUrl: context.url });
  await context.sql(`BEGIN; UPDATE conversations SET title = 'held' WHERE id = 'c'`);
  const waiting = other.apply([message(AT + MINUTE, { user_id: 'later' })]);
  const blocked = `SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
  await expect.poll(() => context.sql(blocked), { timeout: 20_000 }).not.toEqual([]);
  const [held] = await context.sql(
    `UPDATE conversations SET changed_at = clock_timestamp() WHERE id = 'c' RETURNING changed_at::text AS at`,
  );
  await aMomentLater();
  await context.sql('COMMIT');
  await waiting;
  await other.close();
  expect(await changedSince(held?.['at'])).toEqual(['c']);
});
