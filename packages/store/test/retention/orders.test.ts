import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { permutations } from '../../../../test/support/permutations.ts';
import { EMPTY_TABLES } from '../support/read-tables.ts';
import { anEvent, AT } from '../support/an-event.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
beforeEach(() => context.sql(EMPTY_TABLES));

const DAY = 86_400_000;

/** An account of the call, with what it orders to be deleted. */
function account(at: number, settings: Record<string, unknown> | undefined, conversation_id = 'call') {
  const metadata = { start_time_unix_secs: AT / 1000, deletion_settings: settings };
  return anEvent({ type: 'post_call_transcription', at, data: { conversation_id, status: 'done', metadata } });
}

const order = (days: number, transcript: boolean, audio: boolean) => ({
  deletion_time_unix_secs: (AT + days * DAY) / 1000,
  delete_transcript_and_pii: transcript,
  delete_audio: audio,
});
const orders = () => context.sql('SELECT delete_transcript_at AS t, delete_audio_at AS a FROM conversations');

test('of several accounts the latest counts, in whatever order they come; one without an order changes nothing', async () => {
  const told = [
    anEvent({ type: 'conversation.message', data: { conversation_id: 'call', message: 'hello' } }),
    account(AT + 1_000, order(30, true, true)),
    account(AT + 2_000, { ...order(60, true, false), delete_audio: undefined }),
    account(AT + 3_000, { delete_audio: true }),
    account(AT + 4_000, undefined),
  ];
  for (const events of permutations(told)) {
    // oxlint-disable no-await-in-loop -- one order after the other
    await context.sql(EMPTY_TABLES);
    for (const event of events) await context.store.apply([event]);
    expect(await orders()).toEqual([{ t: new Date(AT + 60 * DAY), a: new Date(AT + 30 * DAY) }]);
    // oxlint-enable no-await-in-loop
  }
});

test('a later account takes an order back', async () => {
  const [earlier, later] = [account(AT, order(30, true, true)), account(AT + 1_000, order(30, false, false))];
  await context.store.apply([later]);
  await context.store.apply([earlier]);
  expect(await orders()).toEqual([{ t: null, a: null }]);
});

test('the migration reads the orders of accounts that are there, and the same account changes nothing afterwards', async () => {
  const accounts = [
    account(AT, order(30, true, true), 'both'),
    account(AT, order(30, false, true), 'audio'),
    account(AT, order(30, false, false), 'none'),
    account(AT, { ...order(30, true, true), deletion_time_unix_secs: 1_515_700_000_000 }, 'wrong'),
    account(AT, undefined, 'silent'),
  ];
  await context.store.apply(accounts);
  const all = () =>
    context.sql(
      'SELECT id, delete_transcript_at AS t, delete_audio_at AS a, clocks[21:22] FROM conversations ORDER BY id',
    );
  const applied = await all();
  // As a version before these columns has left them.
  await context.sql(
    'UPDATE conversations SET delete_transcript_at = NULL, delete_audio_at = NULL, clocks = clocks[1:20]',
  );
  const script = '../../../../prisma/migrations/20261129000501_orders_of_conversations/migration.sql';
  await context.sql(readFileSync(new URL(script, import.meta.url), 'utf8'));
  const migrated = await all();
  const at = new Date(AT + 30 * DAY);
  expect(migrated.map(({ id, t, a }) => [id, t, a])).toEqual([
    ['audio', null, at],
    ['both', at, at],
    ['none', null, null],
    ['silent', null, null],
    ['wrong', null, null],
  ]);
  expect(migrated.find(({ id }) => id === 'both')).toEqual(applied.find(({ id }) => id === 'both'));
});
