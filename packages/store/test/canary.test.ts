import { canaryBody } from '@landline/webhook/canary';
import { expect, test } from 'vitest';
import { anEvent, applicable, AT, read } from './support/an-event.ts';
import { readTables, TABLES } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

const message = anEvent({ type: 'conversation.message', data: { conversation_id: 'c', role: 'user', message: 'Hi' } });
const canary = () => applicable(read(canaryBody(AT).toString()));

test('a canary goes through the ledger and leaves no row, alone or among events, once or again', async () => {
  // Counted in a table of its own, for the ledger keeps no trace.
  await context.sql('CREATE TABLE ledgered (id uuid NOT NULL)');
  await context.sql(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO ledgered VALUES (NEW.id); RETURN NULL; END $$`);
  await context.sql('CREATE TRIGGER note AFTER INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION note()');
  const [one, two] = [canary(), canary()];
  await context.store.apply([one]);
  const empty = await readTables(context);
  expect(Object.values(empty).flat()).toEqual([]);

  const outcomes = await context.store.apply([one, message, two, two]);
  expect(outcomes.get(message.entry.id)).toBe('applied');
  const { webhook_events, conversation_messages } = await readTables(context);
  expect(webhook_events).toMatchObject([{ id: message.entry.id }]);
  expect(conversation_messages).toHaveLength(1);
  const ledgered = await context.sql('SELECT id::text, count(*)::int AS times FROM ledgered GROUP BY id');
  expect(new Map(ledgered.map(({ id, times }) => [id, times]))).toEqual(
    new Map([
      [one.entry.id, 2],
      [two.entry.id, 1],
      [message.entry.id, 1],
    ]),
  );
});

test('takes the row along that a version recorded which did not know canaries', async () => {
  const known = canary();
  const { id } = known.entry;
  await context.sql(`INSERT INTO webhook_events (id, type, event_at, received_at, origin, outcome, body_bytes)
    VALUES ('${id}', 'landline.canary', now(), now(), 'webhook', 'ignored', 0)`);
  await context.store.apply([known]);
  expect(await context.sql(`SELECT id FROM webhook_events WHERE id = '${id}'`)).toEqual([]);
});

test('the same canary in two transactions at once stops neither', async () => {
  const both = canary();
  await Promise.all(Array.from({ length: 4 }, () => context.store.apply([both])));
  for (const table of Object.keys(TABLES)) {
    expect(
      await context.sql(`SELECT 1 FROM ${table} WHERE to_jsonb(${table}) @> '{"type": "landline.canary"}'`),
    ).toEqual([]);
  }
});
