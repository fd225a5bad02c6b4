import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApplicableEvent } from '../../src/apply.ts';
import { EMPTIED } from '../../src/forget/forget-statements.ts';
import {
  audioOf,
  deadOf,
  dump,
  eventsOfCall,
  messageOf,
  TRACES,
  transcriptOf,
  unappliedOf,
  unknownOf,
  urlsOf,
} from '../support/a-person.ts';
import { inEveryInterleaving, openSteppedStore, type SteppedStore } from '../support/interleave.ts';
import { EMPTY_TABLES, readTables, type TableName } from '../support/read-tables.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const ALL = { transcript: true, audio: true };
/** The statements of an event and of who forgets that meet the other's rows. */
const STEPS = new RegExp(
  [
    'INTO webhook_events',
    'conversations AS t',
    'FOR KEY SHARE',
    'FOR UPDATE',
    String.raw`INTO conversations \(id`,
    'DELETE FROM webhook_bodies',
  ].join('|'),
);
const TOLD: readonly TableName[] = ['conversation_messages', 'agent_tool_calls', 'user_commands'];

beforeEach(async () => {
  await context.sql(`${EMPTY_TABLES}; DELETE FROM recordings_to_remove`);
});

const outcomes = async (...events: ApplicableEvent[]) => [...(await context.store.apply(events)).values()];
const rowsOf = async (table: TableName) => (await readTables(context))[table];
const toRemove = async () => (await context.store.recordingsToRemove.list({ limit: 100 })).map(({ url }) => url);
/** All rows but those of profiles, which belong to a person and not to a call. */
const told = async () => (await dump(context)).replaceAll(/^public\.user_profiles .*$/gm, '');
const tracesIn = (text: string) => TRACES.filter((trace) => text.includes(trace));

async function aCall(id: string): Promise<void> {
  await context.store.apply(eventsOfCall(id));
  await context.store.recordDead([deadOf(id)]);
}

describe('a conversation that is forgotten', () => {
  test('leaves its ids, times, status and duration, and nothing that was said or by whom', async () => {
    await aCall('c1');
    await aCall('neighbour');
    const before = await readTables(context);
    expect(tracesIn(await told())).toEqual([...TRACES]);
    const forgotten = await context.store.forgetConversations(['c1'], ALL);
    expect(forgotten).toEqual({
      // The transcript has outranked the live message; one tool call, one command. Seven events had a body, one of them was dead, one had a reference.
      counts: {
        conversations: 1,
        messages: 2,
        tool_calls: 1,
        commands: 1,
        bodies: 7,
        events: 2,
        recordings: 1,
        kept_rows: 0,
      },
      urls: expect.toSatisfy((urls: string[]) => urls.toSorted().join() === urlsOf('c1').toSorted().join()),
      letters: [deadOf('c1').entry.id],
      made: [],
    });
    const after = await readTables(context);
    for (const table of TOLD) {
      expect(after[table]).toEqual(before[table].filter((row) => row['conversation_id'] === 'neighbour'));
    }
    const [row, neighbour] = after.conversations;
    expect(neighbour).toEqual(before.conversations[1]);
    expect(row).toMatchObject({
      id: 'c1',
      agent_id: 'agent_1',
      status: 'done',
      duration_seconds: 61,
      title: null,
      metadata: {},
    });
    expect(row?.['started_at']).toBe(before.conversations[0]?.['started_at']);
    expect(row?.['erased_at']).toEqual(expect.any(String));
    await context.store.forgetConversations(['neighbour'], ALL);
    expect(tracesIn(await told())).toEqual([]);
    expect((await rowsOf('webhook_events')).map(({ id }) => id)).toEqual(before.webhook_events.map(({ id }) => id));
    expect(await rowsOf('conversation_recordings')).toHaveLength(2);
    expect(await context.store.countDead()).toBe(0);
  });

  test('is forgotten once: the second time finds nothing', async () => {
    await aCall('c1');
    await context.store.forgetConversations(['c1'], ALL);
    const after = await dump(context);
    const { counts } = await context.store.forgetConversations(['c1'], ALL);
    expect(Object.values(counts).filter(Boolean)).toEqual([]);
    expect((await dump(context)).replaceAll(/"changed_at": "[^"]*"/g, '')).toBe(
      after.replaceAll(/"changed_at": "[^"]*"/g, ''),
    );
  });

  test('has no column that nobody has thought of', async () => {
    const columns = (
      await context.sql(`SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = current_schema() AND table_name = 'conversations'`)
    ).map(({ name }) => name);
    const kept = [
      'id agent_id status channel direction started_at ended_at duration_seconds call_successful cost_credits',
      'created_at updated_at changed_at clocks transcript_clock erased_at delete_transcript_at delete_audio_at completeness',
    ];
    expect(new Set(columns)).toEqual(new Set([...kept.join(' ').split(' '), ...Object.keys(EMPTIED)]));
  });

  test.each([
    { what: { transcript: true, audio: false }, messages: 0, recordings: 0, bodies: ['post_call_audio'], erased: true },
    {
      what: { transcript: false, audio: true },
      messages: 2,
      recordings: 1,
      bodies: [
        'agent.action',
        'conversation.feedback',
        'conversation.message',
        'conversation.started',
        'post_call_transcription',
      ],
      erased: false,
    },
  ])('loses $what alone', async ({ what, messages, recordings, bodies, erased }) => {
    await context.store.apply(eventsOfCall('c1'));
    const { urls } = await context.store.forgetConversations(['c1'], what);
    expect(await rowsOf('conversation_messages')).toHaveLength(messages);
    expect((await rowsOf('conversation_recordings')).filter((row) => row['deleted_at'] !== null)).toHaveLength(
      recordings,
    );
    expect(
      await context.sql(
        `SELECT e.type FROM webhook_events e JOIN webhook_bodies b ON b.event_id = e.id ORDER BY type COLLATE "C"`,
      ),
    ).toEqual(bodies.map((type) => ({ type })));
    expect((await rowsOf('conversations'))[0]?.['erased_at'] !== null).toBe(erased);
    expect(urls).toHaveLength(what.audio ? 2 : 0);
  });
});

describe('an event of an erased conversation', () => {
  /** What comes late: none of it is in the ledger yet. */
  const late: [string, () => ApplicableEvent][] = [
    ['a transcript', () => transcriptOf('c1', 9)],
    ['a message', () => messageOf('c1', 9)],
    ['an event of a type that nobody knows', () => unknownOf('c1')],
  ];

  test.each(late)('is recorded by its id alone: %s', async (_, event) => {
    await context.store.forgetConversations(['c1'], ALL);
    const neighbour = messageOf('c2');
    expect(await outcomes(event(), neighbour)).toEqual(expect.arrayContaining(['ignored', 'applied']));
    expect(await outcomes(event(), neighbour)).toEqual(['duplicate', 'duplicate']);
    expect(await context.sql(`SELECT conversation_id AS id FROM conversation_messages`)).toEqual([{ id: 'c2' }]);
    expect(
      await context.sql(
        `SELECT outcome, applied_at, error, body_reference FROM webhook_events WHERE conversation_id = 'c1'`,
      ),
    ).toEqual([{ outcome: 'ignored', applied_at: null, error: null, body_reference: null }]);
    expect(await rowsOf('webhook_bodies')).toMatchObject([{ event_id: neighbour.entry.id }]);
    expect(await rowsOf('conversations')).toMatchObject([{ id: 'c1', user_id: null, title: null }, { id: 'c2' }]);
  });

  test('makes no profile of the person; the next call of that person does', async () => {
    await context.store.forgetConversations(['c1'], ALL);
    await context.store.apply(eventsOfCall('c1'));
    expect(await rowsOf('user_profiles')).toEqual([]);
    expect(tracesIn(await dump(context))).toEqual([]);
    await context.store.apply(eventsOfCall('c2'));
    expect(await rowsOf('user_profiles')).toHaveLength(1);
    expect((await rowsOf('conversations')).find(({ id }) => id === 'c2')).toMatchObject({
      status: 'done',
      duration_seconds: 61,
    });
  });

  test('makes no dead letter', async () => {
    await context.store.forgetConversations(['c1'], ALL);
    const [erased, other] = [deadOf('c1'), deadOf('c2')];
    expect(await context.store.recordDead([erased, other])).toEqual(new Set([other.entry.id]));
    expect(await context.store.countDead()).toBe(1);
    expect((await rowsOf('webhook_bodies')).map((row) => row['event_id'])).toEqual([other.entry.id]);
  });

  test('that was dead before is not revived', async () => {
    await context.store.recordDead([deadOf('c1')]);
    await context.store.forgetConversations(['c1'], ALL);
    expect(await outcomes(unappliedOf('c1'))).toEqual(['duplicate']);
    expect(await rowsOf('webhook_bodies')).toEqual([]);
    expect(await rowsOf('conversation_messages')).toEqual([]);
  });

  test.each([
    ['new', []],
    ['a repeat', eventsOfCall('c1')],
  ])('has its audio removed from the storage, to which it was brought: %s', async (_, before) => {
    await context.store.apply(before);
    await context.store.forgetConversations(['c1'], ALL);
    await context.sql('DELETE FROM recordings_to_remove');
    await context.store.apply([audioOf('c1')]);
    expect(await toRemove()).toEqual(urlsOf('c1').toSorted());
    expect((await rowsOf('conversation_recordings')).filter((row) => row['deleted_at'] === null)).toEqual([]);
  });
});

test('audio that was deleted alone is removed again when a late delivery brings it back', async () => {
  await context.store.apply(eventsOfCall('c1'));
  await context.store.forgetConversations(['c1'], { transcript: false, audio: true });
  await context.sql('DELETE FROM recordings_to_remove');
  await context.store.apply([audioOf('c1')]);
  expect(await toRemove()).toEqual(urlsOf('c1').slice(0, 1));
});

test('a conversation that never was has the mark, and its first event finds it', async () => {
  const { made, counts } = await context.store.forgetConversations(['c1', 'c2'], ALL);
  expect(made).toEqual(['c1', 'c2']);
  expect(counts.conversations).toBe(0);
  expect(await outcomes(messageOf('c1'), transcriptOf('c2'))).toEqual(['ignored', 'ignored']);
});

describe('while events are applied', () => {
  let stores: SteppedStore[];
  beforeAll(() => {
    stores = [
      openSteppedStore(context.url),
      openSteppedStore(context.url, (store) => store.forgetConversations(['c1'], ALL)),
    ];
  });
  afterAll(() => Promise.all(stores.map((store) => store.close())));

  test.each<[string, ApplicableEvent[], ApplicableEvent[], number]>([
    ['the first event of a call', [], [messageOf('c1')], 0],
    ['a transcript', [messageOf('c1')], [transcriptOf('c1'), messageOf('c2')], 0],
    ['an event that nobody knows', [messageOf('c1')], [unknownOf('c1')], 0],
    ['a recording', [messageOf('c1')], [audioOf('c1')], 2],
  ])(
    'nothing of %s slips through, in any order of their statements',
    async (_, before, events, files) => {
      const orders = await inEveryInterleaving({
        stores,
        groups: [events, []],
        isStep: (statement) => STEPS.test(statement),
        sql: (statement) => context.sql(statement),
        begin: async () => {
          await context.sql(`${EMPTY_TABLES}; DELETE FROM recordings_to_remove`);
          if (before.length > 0) await context.store.apply(before);
        },
        async check(order) {
          const text = (await told()).replaceAll(/^.*\b(?:c2|message-c2-1)\b.*$/gm, '');
          const [row] = (await rowsOf('conversations')).filter(({ id }) => id === 'c1');
          const found = {
            order,
            traces: tracesIn(text),
            erasedAt: row?.['erased_at'],
            files: (await toRemove()).length,
          };
          expect(found).toEqual({ order, traces: [], erasedAt: expect.any(String), files });
        },
      });
      expect(orders).toBeGreaterThan(3);
    },
    60_000,
  );
});
