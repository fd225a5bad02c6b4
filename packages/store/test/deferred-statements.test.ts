import { expect, test } from 'vitest';
import { anEvent, AT, type Told } from './support/an-event.ts';
import { EMPTY_TABLES } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore({ poolSize: 1 });

const ended = (reason: string, more: object = {}): Told => ({
  type: 'conversation.ended',
  at: AT,
  data: { conversation_id: 'c', user_id: 'u', reason, ...more },
});

/** Applies an event to a call that is there, so that its row is updated together with the commit. */
async function applyLate(told: Told): Promise<void> {
  await context.sql(EMPTY_TABLES);
  const earlier: Told = { type: 'conversation.message', at: AT - 1000, data: { conversation_id: 'c', user_id: 'u' } };
  await context.store.apply([anEvent(earlier)]);
  await context.store.apply([anEvent(told)]);
}

const row = async () => (await context.sql('SELECT end_reason, metadata FROM conversations'))[0];

test.each([
  ['quotation marks', `it's "over"`],
  ['a backslash', 'C:\\new\\table \\\' \\" $1 $2'],
  ['what looks like a parameter', '$1 and $3, $& and $$'],
  ['what looks like the tags of a text', '$t$ $t1$ $$ and $t0123456789abcdef$ $t'],
])('%s arrive as they are', async (_, text) => {
  await applyLate(ended(text, { 'the "key" \\ \'': text }));
  expect(await row()).toEqual({ end_reason: text, metadata: { 'the "key" \\ \'': text } });
});

test('texts arrive as they are where the server reads backslashes in every text', async () => {
  const [{ name } = { name: '' }] = await context.sql('SELECT quote_ident(current_database()) AS name');
  await context.sql(`ALTER DATABASE ${String(name)} SET standard_conforming_strings = off`);
  try {
    // A new connection has the setting.
    await context.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await expect
      .poll(
        () =>
          context.store.ping().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    await applyLate(ended(`it's C:\\new`));
    expect(await row()).toMatchObject({ end_reason: `it's C:\\new` });
  } finally {
    await context.sql(`ALTER DATABASE ${String(name)} RESET standard_conforming_strings`);
  }
});

test('a text of megabytes arrives as well', async () => {
  const summary = 'a word '.repeat(300_000).trim();
  await applyLate(ended('over', { summary }));
  expect(await context.sql('SELECT summary FROM conversations')).toEqual([{ summary }]);
});

test('a fault in the last statements commits nothing, and the connection works on', async () => {
  await applyLate(ended('over'));
  await context.sql(`ALTER TABLE user_profiles ADD CONSTRAINT refused CHECK (phone_number IS NULL)`);
  const told: Told = {
    type: 'conversation.started',
    at: AT + 1000,
    data: { conversation_id: 'c', user_id: 'u', caller_number: '+12025550123', channel: 'phone' },
  };
  await expect(context.store.apply([anEvent(told)])).rejects.toMatchObject({ code: '23514', faultClass: 'data' });
  expect(await context.sql('SELECT channel FROM conversations')).toEqual([{ channel: null }]);
  expect(await context.sql('SELECT count(*)::int AS events FROM webhook_events')).toEqual([{ events: 2 }]);

  await context.sql('ALTER TABLE user_profiles DROP CONSTRAINT refused');
  await context.store.apply([anEvent(told)]);
  expect(await context.sql('SELECT channel FROM conversations')).toEqual([{ channel: 'phone' }]);
});
