import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, AT, type Told } from './support/an-event.ts';
import { inEveryInterleaving, openSteppedStore, type SteppedStore } from './support/interleave.ts';
import { EMPTY_TABLES, readTables, type Tables } from './support/read-tables.ts';
import { withStore } from './support/with-store.ts';

const context = withStore();
const MINUTE = 60_000;

/** Statements whose place does not matter, because their rows do not meet. */
const NO_STEPS = /webhook_events|DELETE FROM agent_tool_calls|user_profiles/;
const NO_STEPS_WITHOUT_TRANSCRIPT = new RegExp(`${NO_STEPS.source}|INTO conversation_messages`);
const ALL_ARE_STEPS = /^$/;
let stores: SteppedStore[];
beforeAll(() => {
  stores = [openSteppedStore(context.url), openSteppedStore(context.url)];
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

const started = (id: string, more: object = {}): Told => ({
  type: 'conversation.started',
  at: AT,
  data: { conversation_id: id, agent_id: 'agent_1', ...more },
});
const message = (id: string, minutes: number, more: object = {}): Told => ({
  type: 'conversation.message',
  at: AT + minutes * MINUTE,
  data: { conversation_id: id, message: `live ${minutes}`, role: 'user', ...more },
});
const toolCall = (id: string, minutes: number, more: object): Told => ({
  type: 'agent.tool_call',
  at: AT + minutes * MINUTE,
  data: { conversation_id: id, tool_call_id: 'call_1', ...more },
});
const transcript = (id: string, minutes: number, ...turns: string[]): Told => ({
  type: 'post_call_transcription',
  at: AT + minutes * MINUTE,
  data: {
    conversation_id: id,
    status: 'done',
    transcript: turns.map((words) => ({ role: 'agent', message: words, time_in_call_secs: 1 })),
    metadata: {},
  },
});

interface Scenario {
  /** What is in the tables already. */
  before?: readonly Told[];
  first: readonly Told[];
  second: readonly Told[];
  /** Statements that run together with the one before. */
  noSteps?: RegExp;
}

/** Applies both groups at once in every order of their statements. All must end in the rows of the serial orders, which it returns. */
async function whateverTheOrder({ before = [], first, second, noSteps = NO_STEPS }: Scenario): Promise<Tables> {
  const groups = [first.map(anEvent), second.map(anEvent)];
  const begin = async (): Promise<void> => {
    await context.sql(EMPTY_TABLES);
    if (before.length > 0) await context.store.apply(before.map(anEvent));
  };
  const serially = async (order: readonly number[]): Promise<Tables> => {
    await begin();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const i of order) await context.store.apply(groups[i] ?? []);
    return readTables(context);
  };
  const expected = await serially([0, 1]);
  expect(await serially([1, 0])).toEqual(expected);
  const orders = await inEveryInterleaving({
    stores,
    groups,
    isStep: (statement) => !noSteps.test(statement),
    sql: (statement) => context.sql(statement),
    begin,
    check: async (order) => expect({ order, tables: await readTables(context) }).toEqual({ order, tables: expected }),
  });
  expect(orders).toBeGreaterThan(5);
  return expected;
}

const contents = ({ conversation_messages: rows }: Tables): unknown[] =>
  rows.map(({ conversation_id, content }) => `${String(conversation_id)}: ${String(content)}`);
const AT_ISO = '2026-01-05T09:00:00+00:00';
const minutesLater = (minutes: number): string => AT_ISO.replace('09:00', `09:0${minutes}`);

describe('two transactions at once, in every order of their statements', () => {
  test('a live message and the transcript of its call, both the first of that call', async () => {
    const tables = await whateverTheOrder({ first: [message('c', 1)], second: [transcript('c', 3, 'Hello')] });
    expect(contents(tables)).toEqual(['c: Hello']);
    expect(tables.conversations).toMatchObject([
      { status: 'done', created_at: minutesLater(1), updated_at: minutesLater(3) },
    ]);
  });

  test('a live message and the transcript of a call that is there', async () => {
    const tables = await whateverTheOrder({
      before: [started('c'), message('c', 1)],
      first: [message('c', 2)],
      second: [transcript('c', 3, 'Hello')],
    });
    expect(contents(tables)).toEqual(['c: Hello']);
    expect(tables.conversations).toMatchObject([
      { agent_id: 'agent_1', started_at: AT_ISO, updated_at: minutesLater(3) },
    ]);
  });

  test('a message that says nothing about its call and one that tells the language', async () => {
    const tables = await whateverTheOrder({
      before: [started('c')],
      first: [message('c', 2)],
      second: [message('c', 1, { language: 'ar-EG' })],
      noSteps: NO_STEPS_WITHOUT_TRANSCRIPT,
    });
    expect(contents(tables)).toEqual(expect.arrayContaining(['c: live 1', 'c: live 2']));
    expect(tables.conversations).toMatchObject([{ language: 'ar', dialect: 'eg', updated_at: minutesLater(1) }]);
  });

  test('two that tell the language and the agent', async () => {
    const { conversations } = await whateverTheOrder({
      before: [started('c')],
      first: [message('c', 2, { language: 'en', agent_id: 'agent_2' })],
      second: [message('c', 1, { language: 'ar-EG', user_id: 'user_1' })],
      noSteps: NO_STEPS_WITHOUT_TRANSCRIPT,
    });
    expect(conversations).toMatchObject([
      { language: 'en', dialect: null, agent_id: 'agent_2', user_id: 'user_1', updated_at: minutesLater(2) },
    ]);
  });

  test('two messages that say nothing about a call that nobody has told of', async () => {
    const { conversations } = await whateverTheOrder({ first: [message('c', 2)], second: [message('c', 1)] });
    expect(conversations).toMatchObject([
      { started_at: minutesLater(1), created_at: minutesLater(1), updated_at: minutesLater(1) },
    ]);
  });

  test('an earlier message, and the start of the call', async () => {
    const { conversations } = await whateverTheOrder({
      before: [message('c', 3)],
      first: [message('c', 1)],
      second: [{ ...started('c'), at: AT + 2 * MINUTE }],
      noSteps: NO_STEPS_WITHOUT_TRANSCRIPT,
    });
    expect(conversations).toMatchObject([
      { started_at: minutesLater(2), created_at: minutesLater(1), updated_at: minutesLater(2) },
    ]);
  });

  test('a transcript of each of two calls, beside live messages of the other', async () => {
    const tables = await whateverTheOrder({
      before: [started('c'), started('d')],
      first: [message('c', 1), transcript('d', 3, 'About d')],
      second: [message('d', 1), transcript('c', 3, 'About c')],
    });
    expect(contents(tables)).toEqual(['c: About c', 'd: About d']);
  });

  test('a transcript of one call and what was told of the other, both ways round', async () => {
    const tables = await whateverTheOrder({
      before: [started('c'), started('d')],
      first: [message('c', 1, { language: 'en' }), message('d', 1, { language: 'en' })],
      second: [message('c', 2, { agent_id: 'agent_2' }), transcript('d', 3, 'About d')],
    });
    expect(contents(tables)).toEqual(expect.arrayContaining(['c: live 1', 'c: live 2', 'd: About d']));
    expect(contents(tables)).toHaveLength(3);
  });

  test('two transcripts of a call', async () => {
    const tables = await whateverTheOrder({
      before: [message('c', 1)],
      first: [transcript('c', 3, 'Hello', 'Goodbye')],
      second: [transcript('c', 4, 'Good morning')],
    });
    expect(contents(tables)).toEqual(['c: Good morning']);
  });

  test('a tool call and its result', async () => {
    const { agent_tool_calls: calls } = await whateverTheOrder({
      before: [started('c')],
      first: [toolCall('c', 1, { tool_name: 'hours', parameters: { day: 'today' } })],
      second: [toolCall('c', 2, { result: { opens: 9 } })],
    });
    expect(calls).toMatchObject([{ tool_name: 'hours', parameters: { day: 'today' }, result: { opens: 9 } }]);
  });

  test('the result of a tool call, and the transcript that has another', async () => {
    const { agent_tool_calls: calls } = await whateverTheOrder({
      before: [started('c'), toolCall('c', 1, { tool_name: 'hours' })],
      first: [toolCall('c', 2, { result: { opens: 9 } })],
      second: [transcript('c', 3, 'We open at nine.')],
    });
    expect(calls).toEqual([]);
  });

  test('the same events', async () => {
    const events = [message('c', 1), message('d', 1, { language: 'en' })];
    const tables = await whateverTheOrder({
      first: events,
      second: [...events, message('c', 2)],
      noSteps: ALL_ARE_STEPS,
    });
    expect(contents(tables)).toHaveLength(3);
    expect(tables.webhook_events).toHaveLength(3);
  });

  test('no two of them waited in a ring', async () => {
    expect(await context.sql(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)).toEqual([
      { deadlocks: '0' },
    ]);
  });
});
