import { describe, expect, test } from 'vitest';
import { LEDGER } from '../../../test/support/ledger.ts';
import type { ApplicableEvent } from '../src/apply.ts';
import type { DeadEvent } from '../src/ledger/ledger-statement.ts';
import { anEvent, applicable, read, type Told } from './support/an-event.ts';
import { readTables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();

const message = (conversation: string, text = 'Hello'): Told => ({
  type: 'conversation.message',
  data: { conversation_id: conversation, role: 'user', message: text },
});

/** A delivery, signed at a time in unix seconds, of an event that names none. */
const delivered = (signedAt: number, conversation: string) =>
  applicable(
    read(JSON.stringify({ type: 'agent.action', conversation_id: conversation, action_id: 'a' }), { signedAt }),
  );

const ledgerRow = async (id: string) => (await context.sql(`SELECT * FROM ${LEDGER} WHERE id = '${id}'`))[0];
const bodyIn = async (id: string) => (await ledgerRow(id))?.['body'];
const count = async (from: string) => Number((await context.sql(`SELECT count(*) AS n FROM ${from}`))[0]?.['n']);
const dead = (event: ApplicableEvent, attempts = 1, text = 'no good'): DeadEvent => ({
  entry: event.entry,
  fault: { code: '22P02', message: text },
  attempts,
});

/** Where and by whom each row version was written: any write changes it. */
async function versions(): Promise<Record<string, unknown>[]> {
  const tables = Object.keys(await readTables(context));
  return context.sql(tables.map((table) => `SELECT ctid::text, xmin::text FROM ${table}`).join(' UNION ALL '));
}

describe('outcomes', () => {
  test('says applied, ignored and duplicate, each event by its ledger id', async () => {
    const [known, unknown] = [anEvent(message('outcomes')), anEvent({ type: 'dubbing.done', data: {} })];
    expect(await context.store.apply([known, unknown])).toEqual(
      new Map([
        [known.entry.id, 'applied'],
        [unknown.entry.id, 'ignored'],
      ]),
    );
    const again = await context.store.apply([unknown, known]);
    expect([...again.values()]).toEqual(['duplicate', 'duplicate']);
    expect(await ledgerRow(known.entry.id)).toMatchObject({ outcome: 'applied', type: 'conversation.message' });
    expect(await ledgerRow(unknown.entry.id)).toMatchObject({ outcome: 'ignored', applied_at: null });
  });

  test('applies nothing for an empty group', async () => {
    expect(await context.store.apply([])).toEqual(new Map());
    expect(await context.store.recordDead([])).toEqual(new Set());
  });

  test('applies an event once that stands in a group twice', async () => {
    const event = anEvent(message('twice'));
    expect(await context.store.apply([event, event])).toEqual(new Map([[event.entry.id, 'applied']]));
    expect(await count(`conversation_messages WHERE conversation_id = 'twice'`)).toBe(1);
  });

  test('lets the first of two deliveries stand, in one group as in two', async () => {
    await context.store.apply([delivered(1, 'together'), delivered(2, 'together')]);
    await context.store.apply([delivered(1, 'apart')]);
    await context.store.apply([delivered(2, 'apart')]);
    const rows = await context.sql(
      `SELECT created_at FROM user_commands WHERE conversation_id IN ('together', 'apart')`,
    );
    expect(rows).toEqual([{ created_at: new Date(1999) }, { created_at: new Date(1999) }]);
  });

  test('writes nothing at all for a group of duplicates', async () => {
    const group = [
      anEvent(message('untouched')),
      anEvent({ type: 'conversation.started', data: { conversation_id: 'untouched', user_id: 'u', language: 'en' } }),
      anEvent({ type: 'agent.tool_call', data: { conversation_id: 'untouched', tool_call_id: 't' } }),
      anEvent({ type: 'agent.action', data: { conversation_id: 'untouched', action_id: 'a' } }),
    ];
    await context.store.apply(group);
    const before = await versions();
    await context.store.apply([...group, ...group]);
    expect(await versions()).toEqual(before);
  });
});

describe('the body in the ledger', () => {
  test.each([
    ['text', '{"type": "x.y",  "a": 6.78e-05, "é": "Ω\\u0041 👋"}'],
    ['a byte order mark', '\ufeff{"type":"x.y"}'],
    ['an escaped U+0000', '{"type":"x.y","a":"\\u0000"}'],
    ['backslashes, quotes and braces', String.raw`{"type":"x.y","a":"{\"\\,NULL}"}`],
    ['the word NULL', 'NULL'],
  ])('is to the byte what came: %s', async (_, body) => {
    const { entry } = read(body);
    await context.store.recordDead([{ entry, fault: { code: 'test', message: 'test' }, attempts: 0 }]);
    expect(await bodyIn(entry.id)).toEqual(Buffer.from(body, 'utf8'));
  });

  test.each([
    ['U+0000 as it is', 'utf8', Buffer.from('{"type":"x.y\0"}')],
    ['no UTF-8', 'base64', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0xc3, 0x28])],
    ['nothing', 'utf8', Buffer.alloc(0)],
  ] as const)('is to the byte what came: %s', async (_, encoding, bytes) => {
    const { entry } = read(bytes.toString(encoding), { encoding });
    await context.store.recordDead([{ entry, fault: { code: 'test', message: 'test' }, attempts: 0 }]);
    expect(await bodyIn(entry.id)).toEqual(bytes);
  });
});

describe('dead events', () => {
  test('rest in the ledger with their error, and are applied when they get another chance', async () => {
    const event = anEvent(message('revived'));
    expect(await context.store.recordDead([dead(event, 5)])).toEqual(new Set([event.entry.id]));
    expect(await ledgerRow(event.entry.id)).toMatchObject({
      outcome: 'dead',
      applied_at: null,
      conversation_id: 'revived',
      error: { code: '22P02', message: 'no good', attempts: 5 },
    });
    expect(await context.store.apply([event])).toEqual(new Map([[event.entry.id, 'applied']]));
    expect(await ledgerRow(event.entry.id)).toMatchObject({
      outcome: 'applied',
      applied_at: expect.any(Date),
      error: null,
    });
    expect(await count(`conversation_messages WHERE conversation_id = 'revived'`)).toBe(1);
  });

  test('count their attempts together and keep the last error', async () => {
    const event = anEvent(message('counted'));
    await context.store.recordDead([dead(event, 3)]);
    await context.store.recordDead([dead(event, 1, 'still no good')]);
    const row = await ledgerRow(event.entry.id);
    // printf '22P02\nstill no good' | sha256sum
    const written = { at: expect.any(Number), fingerprint: '2560661fdb28' };
    expect(row?.['error']).toEqual({ code: '22P02', message: 'still no good', attempts: 4, ...written });
  });

  test('are not made of an event that was applied in the meantime', async () => {
    const event = anEvent(message('safe'));
    await context.store.apply([event]);
    const before = await ledgerRow(event.entry.id);
    expect(await context.store.recordDead([dead(event)])).toEqual(new Set());
    expect(await ledgerRow(event.entry.id)).toEqual(before);
  });

  test('are made of an event that an older version ignored', async () => {
    const event = anEvent(message('known now'));
    await context.store.apply([{ outcome: 'ignored', entry: event.entry }]);
    expect(await context.store.recordDead([dead(event, 2)])).toEqual(new Set([event.entry.id]));
    expect(await ledgerRow(event.entry.id)).toMatchObject({ outcome: 'dead', error: { attempts: 2 } });
  });

  test('may stand twice in a group, and may quote anything in their error', async () => {
    const event = anEvent(message('quoted'));
    await context.store.recordDead([dead(event, 1, 'no \0 \ud800'), dead(event, 1, 'no \0 \ud800')]);
    expect(await ledgerRow(event.entry.id)).toMatchObject({ error: { message: 'no \ufffd \ufffd', attempts: 1 } });
  });
});

describe('an event that an older version ignored', () => {
  test('is applied by the one that knows it, and not ignored again', async () => {
    const event = anEvent(message('upgraded'));
    const unknown: ApplicableEvent = { outcome: 'ignored', entry: { ...event.entry, conversationId: null } };
    expect([...(await context.store.apply([unknown])).values()]).toEqual(['ignored']);
    expect([...(await context.store.apply([event])).values()]).toEqual(['applied']);
    expect([...(await context.store.apply([unknown])).values()]).toEqual(['duplicate']);
    expect(await ledgerRow(event.entry.id)).toMatchObject({ outcome: 'applied', conversation_id: 'upgraded' });
    expect(await count(`conversation_messages WHERE conversation_id = 'upgraded'`)).toBe(1);
  });
});

describe('an apply that fails', () => {
  test('leaves nothing, not even in the ledger, and is applied when the cause is gone', async () => {
    await context.sql(`ALTER TABLE user_profiles ADD CONSTRAINT no_mars CHECK (user_id <> 'mars')`);
    const started = { type: 'conversation.started', data: { conversation_id: 'whole', user_id: 'mars' } };
    const group = [anEvent(message('whole')), anEvent(started)];
    const before = await readTables(context);
    // The profile comes last of all tables.
    await expect(context.store.apply(group)).rejects.toMatchObject({ code: '23514', faultClass: 'data' });
    expect(await readTables(context)).toEqual(before);

    await context.sql('ALTER TABLE user_profiles DROP CONSTRAINT no_mars');
    expect([...(await context.store.apply(group)).values()]).toEqual(['applied', 'applied']);
    expect(await count(`user_profiles WHERE user_id = 'mars'`)).toBe(1);
  });

  test('takes any text that a body can hold', async () => {
    const text = String.raw`\0 \\ " ' {} NULL $1 \u{1F44B}` + '\u2028\ufffd👋';
    const event = anEvent({
      type: 'conversation.message',
      data: { conversation_id: `odd ${text}`, message: text, [text]: { [text]: [text, null, 1e300] } },
    });
    await context.store.apply([event]);
    const [row] = await context.sql(
      `SELECT m.content, m.details FROM conversation_messages m JOIN webhook_events e USING (conversation_id)
       WHERE e.id = '${event.entry.id}'`,
    );
    expect(row).toEqual({ content: text, details: { [text]: { [text]: [text, null, 1e300] } } });
  });
});
