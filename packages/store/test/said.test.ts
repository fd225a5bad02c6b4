import { expect, test } from 'vitest';
import { CONVERSATIONS } from '../src/tables/merged-tables.ts';
import { anEvent, AT, type Told } from './support/an-event.ts';
import { EMPTY_TABLES, readTables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

const started: Told = {
  type: 'conversation.started',
  at: AT,
  data: {
    conversation_id: 'c',
    user_id: 'u',
    caller_number: '+12025550123',
    language: 'ar',
    dialect: 'eg',
    channel: 'phone',
  },
};
const message: Told = {
  type: 'conversation.message',
  at: AT + 1000,
  data: { conversation_id: 'c', message_id: 'm', role: 'agent', message: 'Hello', mood: 'glad', position: 3 },
};
const plainMessage: Told = {
  type: 'conversation.message',
  at: AT + 2000,
  data: { conversation_id: 'c', message_id: 'n', role: 'agent', message: 'Hello again' },
};
const french: Told = {
  type: 'conversation.message',
  at: AT + 3000,
  data: { conversation_id: 'c', user_id: 'u', message_id: 'o', role: 'user', message: 'Bonjour', language: 'fr' },
};
const ended: Told = {
  type: 'conversation.ended',
  at: AT + 4000,
  data: { conversation_id: 'c', reason: 'over', sentiment: 'fine' },
};
const ALL = [started, message, plainMessage, french, ended];

test.each([
  ['from the first', ALL],
  ['from the last', ALL.toReversed()],
])('events that say different columns give the same rows one by one and together: %s', async (_, told) => {
  await context.sql(EMPTY_TABLES);
  await context.store.apply(ALL.map(anEvent));
  const together = await readTables(context);
  await context.sql(EMPTY_TABLES);
  // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
  for (const one of told) await context.store.apply([anEvent(one)]);
  expect(await readTables(context)).toEqual(together);
  expect(together.conversations[0]).toMatchObject({
    channel: 'phone',
    language: 'fr',
    dialect: null,
    dialects: { ar: 'eg' },
    end_reason: 'over',
    metadata: { sentiment: 'fine' },
  });
});

test('a row of a version that knew fewer columns gets a value and a clock of a later one', async () => {
  await context.sql(EMPTY_TABLES);
  await context.store.apply([anEvent(started)]);
  await context.sql('UPDATE conversations SET clocks = clocks[1:9]');
  await context.store.apply([anEvent(ended)]);
  const place = CONVERSATIONS.registers.findIndex(([name]) => name === 'end_reason') + 1;
  const later: Told = { ...ended, at: AT + 500, eventId: 'late', data: { ...ended.data, reason: 'earlier' } };
  await context.store.apply([anEvent(later)]);
  expect(
    await context.sql(`SELECT channel, end_reason, clocks[${place}] IS NOT NULL AS is_known FROM conversations`),
  ).toEqual([{ channel: 'phone', end_reason: 'over', is_known: true }]);
});

test('a later account of a message takes back what it leaves out', async () => {
  await context.sql(EMPTY_TABLES);
  await context.store.apply([anEvent(message)]);
  const again: Told = { ...message, at: AT + 9000, data: { ...plainMessage.data, message_id: 'm' } };
  await context.store.apply([anEvent(again)]);
  expect(await context.sql('SELECT content, details FROM conversation_messages')).toEqual([
    { content: 'Hello again', details: {} },
  ]);
});
