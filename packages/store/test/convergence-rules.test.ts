import { beforeAll, describe, expect, test } from 'vitest';
import { createStore, type Store } from '../src/store.ts';
import { anEvent, AT, type Told } from './support/an-event.ts';
import { EMPTY_TABLES, readTables, type Tables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const MINUTE = 60_000;

/** Applies events in every order, one by one and as one group: all must end in the same rows, which it answers. */
async function inEveryOrder(told: readonly Told[]): Promise<Tables> {
  const seen: Tables[] = [];
  for (const order of permutations(told)) {
    const events = order.map(anEvent);
    for (const groups of [[events], events.map((event) => [event])]) {
      // oxlint-disable no-await-in-loop -- one order after another
      await context.sql(EMPTY_TABLES);
      for (const group of groups) await context.store.apply(group);
      seen.push(await readTables(context));
      expect(seen.at(-1)).toEqual(seen[0]);
    }
  }
  return seen[0] ?? readTables(context);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

const iso = (at: number) => new Date(at).toISOString().replace('.000Z', '+00:00');
const live = (type: string, conversation_id: string, at: number, data: object = {}): Told => ({
  type,
  at,
  data: { conversation_id, ...data },
});
/** The conversation of the tests that have but one. */
const c = 'conv_1';
const user_id = 'user_1';
const turn = (message: string, more: object = {}) => ({ role: 'agent', message, time_in_call_secs: 1, ...more });
const called = (request_id: string, more: object) => ({ request_id, tool_name: 'hours', ...more });
const transcript = (conversation_id: string, at: number, turns: object[], more: object = {}): Told => ({
  type: 'post_call_transcription',
  at,
  data: { conversation_id, agent_id: 'a', status: 'done', transcript: turns, metadata: {}, ...more },
});

describe('a conversation', () => {
  test('has a status that only goes up, whatever was told last', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.ended', c, AT),
      live('conversation.message', c, AT + MINUTE, { message: 'late' }),
      transcript(c, AT + 2 * MINUTE, [], { status: 'processing' }),
    ]);
    expect(conversations).toMatchObject([{ status: 'processing' }]);
  });

  test('starts at the earliest time seen where nobody says when', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.message', c, AT + MINUTE),
      live('conversation.message', c, AT),
      live('conversation.ended', c, AT + 2 * MINUTE),
    ]);
    expect(conversations).toMatchObject([
      { started_at: iso(AT), created_at: iso(AT), updated_at: iso(AT + 2 * MINUTE) },
    ]);
  });

  test('is updated at the last time that an event says something about it', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.started', c, AT),
      live('conversation.message', c, AT + MINUTE, { role: 'user', language: 'en' }),
      live('conversation.message', c, AT + 2 * MINUTE, { role: 'user', message: 'nothing new' }),
    ]);
    expect(conversations).toMatchObject([{ created_at: iso(AT), updated_at: iso(AT + MINUTE), language: 'en' }]);
  });

  test('is updated at the time of its earliest event while none says anything about it', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.message', c, AT + MINUTE),
      live('agent.tool_call', c, AT, { tool_call_id: 't' }),
      live('agent.action', c, AT + 2 * MINUTE, { action_id: 'a' }),
    ]);
    expect(conversations).toMatchObject([{ created_at: iso(AT), updated_at: iso(AT), started_at: iso(AT) }]);
  });

  test('starts when its start says, though something was seen earlier', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.message', c, AT - MINUTE),
      live('conversation.started', c, AT),
      live('conversation.ended', c, AT + MINUTE),
    ]);
    expect(conversations).toMatchObject([{ started_at: iso(AT), created_at: iso(AT - MINUTE) }]);
  });

  test("starts when the transcript says, which is the provider's own account", async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.started', c, AT),
      transcript(c, AT + MINUTE, [], { metadata: { start_time_unix_secs: AT / 1000 + 1 } }),
      live('conversation.started', c, AT - MINUTE, { channel: 'web' }),
    ]);
    expect(conversations).toMatchObject([{ started_at: iso(AT + 1000) }]);
  });

  test('has of each column what was told last by event time, and keeps what a later event does not say', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.ended', c, AT, { reason: 'first', summary: 'only the first says it' }),
      live('conversation.ended', c, AT + 2 * MINUTE, { reason: 'last' }),
      live('conversation.ended', c, AT + MINUTE, { reason: 'middle', duration_seconds: 7 }),
    ]);
    expect(conversations).toMatchObject([
      { end_reason: 'last', summary: 'only the first says it', duration_seconds: 7, ended_at: iso(AT + 2 * MINUTE) },
    ]);
  });

  test('believes the transcript before a later live event, and the live event where the transcript says nothing', async () => {
    const { conversations } = await inEveryOrder([
      transcript(c, AT, [], { metadata: { termination_reason: 'told finally' } }),
      live('conversation.ended', c, AT + MINUTE, { reason: 'told live', duration_seconds: 9 }),
    ]);
    expect(conversations).toMatchObject([{ end_reason: 'told finally', duration_seconds: 9 }]);
  });

  test('has language and dialect of one and the same event', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.message', c, AT, { role: 'user', language: 'ar-EG' }),
      live('conversation.message', c, AT + MINUTE, { role: 'user', language: 'en' }),
      live('conversation.message', c, AT + 2 * MINUTE, { role: 'agent', language: 'pt-br' }),
    ]);
    expect(conversations).toMatchObject([{ language: 'en', dialect: null }]);
  });

  test('gives the configured language way to one that was heard', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.started', c, AT, { language: 'es_MX' }),
      transcript(c, AT + MINUTE, [turn('Hola')], { metadata: { main_language: 'en' } }),
    ]);
    expect(conversations).toMatchObject([{ language: 'es', dialect: 'mx' }]);
  });

  test('has its metadata key by key, each as it was told last', async () => {
    const { conversations } = await inEveryOrder([
      live('conversation.started', c, AT, { a: 1, b: 1, '': 'empty', __proto__x: 1 }),
      live('conversation.ended', c, AT + MINUTE, { b: { of: [2] }, c: 2 }),
      live('conversation.ended', c, AT + 2 * MINUTE, { a: 3, 'd"\\': 3 }),
    ]);
    expect(conversations[0]?.['metadata']).toEqual({
      a: 3,
      b: { of: [2] },
      c: 2,
      'd"\\': 3,
      '': 'empty',
      __proto__x: 1,
    });
  });
});

describe('a message', () => {
  test('told twice under one id is there once, as it was told last', async () => {
    const told = (at: number, message: string) =>
      live('conversation.message', c, at, { message_id: 'm1', role: 'user', message });
    const { conversation_messages } = await inEveryOrder([
      told(AT, 'Helo'),
      told(AT + MINUTE, 'Hello'),
      live('conversation.message', c, AT, { message: 'another' }),
    ]);
    expect(conversation_messages).toHaveLength(2);
    expect(conversation_messages).toEqual(
      expect.arrayContaining(['Hello', 'another'].map((content) => expect.objectContaining({ content }))),
    );
  });
});

describe('a tool call', () => {
  test('joins its result, whichever comes first', async () => {
    const { agent_tool_calls } = await inEveryOrder([
      live('agent.tool_call', c, AT, { tool_call_id: 't', tool_name: 'hours', parameters: '{"day": 1}' }),
      live('agent.tool_call', c, AT + MINUTE, { tool_call_id: 't', result: { open: true }, is_error: false }),
    ]);
    expect(agent_tool_calls).toMatchObject([
      { tool_name: 'hours', parameters: { day: 1 }, result: { open: true }, is_error: false, created_at: iso(AT) },
    ]);
  });
});

describe('a command', () => {
  test('is one row for an action id, its status as it was told last', async () => {
    const { user_commands } = await inEveryOrder([
      live('agent.action', c, AT, { action_id: 'a', action: 'book', status: 'requested', parameters: { people: 2 } }),
      live('agent.action', c, AT + MINUTE, { action_id: 'a', status: 'done' }),
    ]);
    expect(user_commands).toMatchObject([
      { command: 'book', status: 'done', parameters: { people: 2 }, created_at: iso(AT) },
    ]);
  });
});

describe('a transcript', () => {
  const calls = { tool_calls: [called('r', { params_as_json: '{"by": "transcript"}' })] };

  test('outranks live messages and tool calls, told before it or after', async () => {
    const rows = await inEveryOrder([
      live('conversation.message', c, AT, { message: 'live' }),
      transcript(c, AT + MINUTE, [turn('Good day', calls)]),
      live('agent.tool_call', c, AT + 2 * MINUTE, { tool_call_id: 'r', tool_name: 'hours', result: 'live' }),
    ]);
    expect(rows.conversation_messages).toMatchObject([{ source: 'transcript', content: 'Good day', position: 0 }]);
    expect(rows.agent_tool_calls).toMatchObject([
      { source: 'transcript', parameters: { by: 'transcript' }, result: null },
    ]);
    expect(rows.webhook_events).toHaveLength(3);
  });

  test('without turns outranks nothing', async () => {
    const { conversation_messages } = await inEveryOrder([
      live('conversation.message', c, AT, { message: 'live' }),
      transcript(c, AT + MINUTE, []),
    ]);
    expect(conversation_messages).toMatchObject([{ source: 'live', content: 'live' }]);
  });

  test('is replaced whole by a newer one, though that is shorter and says less', async () => {
    const withResult = {
      tool_calls: [called('r', { params_as_json: '{"by": "old"}' })],
      tool_results: [called('r', { result_value: 'old', is_error: true })],
    };
    const rows = await inEveryOrder([
      transcript(c, AT, [turn('one'), turn('two', withResult), turn('three', { tool_calls: [called('gone', {})] })]),
      live('conversation.message', c, AT, { message: 'live' }),
      transcript(c, AT + MINUTE, [turn('new', { tool_calls: [called('r', { params_as_json: '{"by": "new"}' })] })]),
    ]);
    expect(rows.conversation_messages).toMatchObject([{ content: 'new', position: 0 }]);
    expect(rows.agent_tool_calls).toMatchObject([
      { request_id: 'r', parameters: { by: 'new' }, result: null, is_error: null, created_at: iso(AT + MINUTE + 1000) },
    ]);
  });
});

describe('a profile', () => {
  test("is the user's, with what was told last and the time between", async () => {
    const { user_profiles } = await inEveryOrder([
      live('conversation.started', c, AT + MINUTE, { user_id, language: 'fr', user_profile: { vip: true, size: 1 } }),
      live('conversation.message', c, AT, { user_id, role: 'user', language: 'en', personality: { kind: 'calm' } }),
      live('conversation.ended', c, AT + 2 * MINUTE, { user_id, user_profile: { size: 2 } }),
    ]);
    expect(user_profiles).toMatchObject([
      {
        user_id,
        language: 'fr',
        personality: { kind: 'calm' },
        attributes: { vip: true, size: 2 },
        first_seen_at: iso(AT),
        last_seen_at: iso(AT + 2 * MINUTE),
      },
    ]);
  });

  test('is the number they call from where no user is named, and nobody where the number is hidden', async () => {
    await context.store.apply([
      anEvent(live('conversation.started', 'by number', AT, { caller_number: '+1 (202) 555-0177' })),
      anEvent(live('conversation.started', 'hidden', AT, { caller_number: 'anonymous' })),
      anEvent(live('conversation.started', 'by id', AT, { caller_number: '+12025550178', user_id: 'u_178' })),
    ]);
    const rows = await context.sql(
      `SELECT user_id, phone_number FROM user_profiles WHERE user_id IN ('anonymous', 'u_178') OR user_id LIKE '+1%' ORDER BY 1`,
    );
    expect(rows).toEqual([
      { user_id: '+12025550177', phone_number: '+12025550177' },
      { user_id: 'u_178', phone_number: '+12025550178' },
    ]);
  });
});

describe('two stores at once', () => {
  let other: Store;
  beforeAll(() => {
    other = createStore({ databaseUrl: context.url });
    return () => other.close();
  });

  test('leave no live row beside a transcript', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `race_${i}`);
    await Promise.all(
      names.flatMap((name) => [
        context.store.apply([
          anEvent(live('conversation.message', name, AT, { message: 'live' })),
          anEvent(live('agent.tool_call', name, AT, { tool_call_id: 't' })),
        ]),
        other.apply([anEvent(transcript(name, AT, [turn('final')]))]),
      ]),
    );
    const rows = await context.sql(
      `SELECT content FROM conversation_messages WHERE conversation_id LIKE 'race_%'
       UNION ALL SELECT 'tool call' FROM agent_tool_calls WHERE conversation_id LIKE 'race_%'`,
    );
    expect(rows).toEqual(names.map(() => ({ content: 'final' })));
  });

  test('leave of two transcripts the newer', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `rivals_${i}`);
    await Promise.all(
      names.flatMap((name, i) => {
        const [one, two] = i % 2 === 0 ? [context.store, other] : [other, context.store];
        return [
          one.apply([anEvent(transcript(name, AT, [turn('old'), turn('old')]))]),
          two.apply([anEvent(transcript(name, AT + MINUTE, [turn('new')]))]),
        ];
      }),
    );
    const rows = await context.sql(`SELECT content FROM conversation_messages WHERE conversation_id LIKE 'rivals_%'`);
    expect(rows).toEqual(names.map(() => ({ content: 'new' })));
  });
});
