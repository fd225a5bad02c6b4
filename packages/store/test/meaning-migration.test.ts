import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { EMPTY_TABLES, readTables, type Tables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const MIGRATION = readFileSync(
  new URL('../../../prisma/migrations/20261128000100_meaning_of_events/migration.sql', import.meta.url),
  'utf8',
);

const context = withStore();

/** A clock as the version before wrote it: authority, time, nine bytes of the ledger id. */
const clock = (authority: string, id = '0'.repeat(18)) => `${authority}019b8d3a5c00${id}`;
const LEDGER_ID = 'ba7816bf-8f01-cfea-4141-40de5dae2223';
const IN_LEDGER_ID = 'ba7816bf8f01cfea41';
const uuid = (hex: string) => [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);

/** The clocks of 20 registers, of which these are set; counted as Postgres does, from 1. */
const clocks = (set: Record<number, string>) =>
  `{${Array.from({ length: 20 }, (_, i) => set[i + 1] ?? 'NULL').join(',')}}`;

interface Row {
  status?: string;
  channel?: string;
  metadata?: object;
  metadataClocks?: object;
  set?: Record<number, string>;
}

async function conversation(
  id: string,
  { status = 'done', channel, metadata = {}, metadataClocks = {}, set = {} }: Row,
) {
  await context.sql(`
    INSERT INTO conversations (id, status, channel, started_at, created_at, updated_at, clocks, metadata, metadata_clocks)
    VALUES ('${id}', '${status}', ${channel ? `'${channel}'` : 'NULL'}, now(), now(), now(), '${clocks(set)}',
      '${JSON.stringify(metadata)}', '${JSON.stringify(metadataClocks)}')`);
}

async function message(key: string, role: string | null, inClock = '0'.repeat(18), content: string | null = 'hi') {
  await context.sql(`
    INSERT INTO conversation_messages (conversation_id, source, event_key, role, content, created_at, clock)
    VALUES ('c', 'live', '${key}', ${role ? `'${role}'` : 'NULL'}, ${content ? `'${content}'` : 'NULL'}, now(),
      '${clock('02', inClock)}')`);
}

async function profile(id: string, phone: string) {
  await context.sql(`
    INSERT INTO user_profiles (user_id, phone_number, first_seen_at, last_seen_at, clocks)
    VALUES ('${id}', '${phone}', now(), now(), '{NULL,NULL,NULL,${clock('02')}}')`);
}

let tables: Tables;
beforeAll(async () => {
  await context.sql(EMPTY_TABLES);
  await message('1', 'user');
  await message('2', null);
  await message('0f8fad5b-d9cb-469f-a165-70867728950e', 'agent');
  await message(LEDGER_ID, 'user', IN_LEDGER_ID);
  await message('partial', 'user', undefined, null);
  await conversation('web', { channel: 'web', set: { 4: clock('03') } });
  await conversation('chat', { channel: 'web', set: { 4: clock('03') }, metadata: { text_only: true } });
  await conversation('said', { channel: 'web', set: { 4: clock('02') } });
  const whatsapp = { direction: 'Inbound', whatsapp_user_id: '59100000009' };
  await conversation('whatsapp', {
    channel: 'whatsapp',
    metadata: { whatsapp },
    metadataClocks: { whatsapp: clock('03') },
  });
  const error = { code: 7, reason: 'No quota.' };
  await conversation('failed', { status: 'failed', metadata: { error }, metadataClocks: { error: clock('03') } });
  await conversation('failed-code', {
    status: 'failed',
    metadata: { error: { code: 7 } },
    metadataClocks: { error: clock('03') },
  });
  await conversation('failed-nothing', { status: 'failed', metadata: { error: {} } });
  await conversation('secret', {
    metadata: {
      secret__a: 1,
      conversation_initiation_client_data: { dynamic_variables: { secret__b: 1, shown: 2 }, other: 3 },
    },
    metadataClocks: { secret__a: clock('03') },
  });
  await profile('+266696687', '+266696687');
  await profile('7378742833', '7378742833');
  await profile('u1', 'sip:Anonymous@anonymous.invalid');
  await profile('u2', '+8656696');
  await profile('u3', 'sip:alice@example.com');
  await context.sql(MIGRATION);
  tables = await readTables(context);
});

const inOrder = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);
const row = (id: string) => tables.conversations.find((one) => one['id'] === id) ?? {};
const clockOf = (id: string, place: number) => [row(id)['clocks']].flat()[place - 1];

test('a message has its role in its key, unless it is known by its ledger id', () => {
  expect(tables.conversation_messages.map((one) => one['event_key']).toSorted(inOrder)).toEqual([
    'agent:0f8fad5b-d9cb-469f-a165-70867728950e',
    LEDGER_ID,
    'unknown:2',
    'user:1',
    'user:partial',
  ]);
});

test('a message without words gives way to one with words', () => {
  const partial = tables.conversation_messages.find((one) => one['event_key'] === 'user:partial');
  expect(partial).toMatchObject({ clock: uuid(clock('00')) });
});

test('an implied channel gives way to what is said, and a text-only conversation is a chat', () => {
  expect(row('web')).toMatchObject({ channel: 'web' });
  expect(clockOf('web', 4)).toBe(uuid(clock('00')));
  expect(row('chat')).toMatchObject({ channel: 'chat' });
  expect(clockOf('chat', 4)).toBe(uuid(clock('01')));
  expect(clockOf('said', 4)).toBe(uuid(clock('02')));
});

test('WhatsApp has its direction and number', () => {
  expect(row('whatsapp')).toMatchObject({ direction: 'inbound', external_number: '59100000009' });
  expect(clockOf('whatsapp', 5)).toBe(uuid(clock('03')));
  expect(clockOf('whatsapp', 6)).toBe(uuid(clock('03')));
});

test('a failed call has its reason', () => {
  expect(row('failed')).toMatchObject({ failure_reason: 'No quota.' });
  expect(clockOf('failed', 15)).toBe(uuid(clock('03')));
  expect(row('failed-code')).toMatchObject({ failure_reason: '{"code": 7}' });
  expect(row('failed-nothing')).toMatchObject({ failure_reason: null });
});

test('secret variables are gone', () => {
  expect(row('secret')).toMatchObject({
    metadata: { conversation_initiation_client_data: { dynamic_variables: { shown: 2 }, other: 3 } },
    metadata_clocks: {},
  });
  expect(JSON.stringify(row('secret'))).not.toContain('secret__');
});

test("withheld numbers are nobody's", () => {
  expect(tables.user_profiles.map((one) => [one['user_id'], one['phone_number']])).toEqual([
    ['7378742833', '7378742833'],
    ['u1', null],
    ['u2', null],
    ['u3', 'sip:alice@example.com'],
  ]);
});
