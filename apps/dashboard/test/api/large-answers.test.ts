import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConsole, type AConsole } from './support/a-console.ts';
import { apply, AT, transcript } from './support/filled.ts';

/** The most that an answer of the API may have, in bytes. */
const MOST_BYTES = 300_000;
const TURNS = 1_500;

/** 64 characters, and 117 bytes of UTF-8. */
const SAID = 'مرحباً، أريد أن أسأل عن طلبي الذي لم يصل بعد، وقد مضى عليه أسبوع';

interface Answer {
  bytes: number;
  json: Record<string, unknown> & { items: Item[]; next: string | null; transcript: Item[]; calls: Item[] };
}

interface Item {
  id: string;
  position: number;
  content: string;
  request_id: string;
  title: string;
  summary: string;
  error: { message: string };
}

let console_: AConsole;
beforeAll(async () => {
  console_ = await openConsole();
});
afterAll(() => console_.close());

async function ask(url: string): Promise<Answer> {
  const answer = await console_.ask(url);
  expect([url, answer.statusCode]).toEqual([url, 200]);
  return { bytes: answer.rawPayload.length, json: answer.json() };
}

/** Reads a list from a cursor to its end. */
async function readOn(path: string, cursor: unknown): Promise<{ items: Item[]; pages: number; most: number }> {
  const items: Item[] = [];
  let [pages, most] = [0, 0];
  for (let next = cursor; typeof next === 'string'; pages++) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const { bytes, json } = await ask(`${path}?cursor=${next}`);
    items.push(...json.items);
    most = Math.max(most, bytes);
    next = json.next;
  }
  return { items, pages, most };
}

/** A transcript of `TURNS` turns in Arabic. Every tenth calls a tool that gets and gives as much as `tool` has. */
function longCall(id: string, tool: string, analysis: object = {}) {
  const { data, ...body } = transcript(id);
  const turns = Array.from({ length: TURNS }, (_, i) => ({
    role: i % 2 === 0 ? 'agent' : 'user',
    message: `${SAID} ${i}`,
    time_in_call_secs: i * 2,
    ...(i % 10 === 0 && {
      tool_calls: [{ request_id: `r${i}`, tool_name: 'find_order', params_as_json: JSON.stringify({ of: tool }) }],
      tool_results: [{ request_id: `r${i}`, tool_name: 'find_order', result_value: tool, is_error: false }],
    }),
  }));
  return { ...body, data: { ...data, transcript: turns, analysis: { ...data.analysis, ...analysis } } };
}

const numbers = (count: number, step = 1) => Array.from({ length: count }, (_, i) => i * step);

const made = (at: number) => Buffer.from(JSON.stringify(['messages', at, 'conv-long'])).toString('base64url');

describe('a conversation of 1,500 turns in Arabic', () => {
  beforeAll(() => apply(console_.store, [longCall('conv-long', 'طلب رقم سبعة '.repeat(40))]));

  it('is read to its end, in parts that stay small', async () => {
    const { bytes, json } = await ask('/conversations/conv-long');
    expect(bytes).toBeLessThan(MOST_BYTES);
    const { transcript: first, messages, messages_next: next } = json;
    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThanOrEqual(150_001);
    expect(messages).toBe(TURNS);
    const rest = await readOn('/conversations/conv-long/messages', next);
    expect(rest.pages).toBeGreaterThan(1);
    expect(rest.most).toBeLessThan(150_100);
    const all = [...first, ...rest.items];
    expect(all.map(({ position }) => position)).toEqual(numbers(TURNS));
    expect(all.at(-1)?.content).toBe(`${SAID} 1499`);
  });

  it('has its tool calls in parts as well', async () => {
    const { json } = await ask('/conversations/conv-long');
    const { calls: first, tool_calls: count, calls_next: next } = json;
    expect(count).toBe(150);
    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThanOrEqual(60_001);
    const rest = await readOn('/conversations/conv-long/tool-calls', next);
    expect(rest.most).toBeLessThan(60_100);
    const all = [...first, ...rest.items];
    expect(all.map(({ request_id }) => request_id)).toEqual(numbers(150, 10).map((i) => `r${i}`));
    expect(all.map(({ position }) => position)).toEqual(numbers(150, 10));
    expect(json['summary']).toBe('The order was sent.');
  });

  it('begins at its beginning where no cursor is given', async () => {
    const { json } = await ask('/conversations/conv-long/messages');
    expect(json.items[0]).toMatchObject({ position: 0, content: `${SAID} 0` });
    expect((await ask('/conversations/conv-long/tool-calls')).json.items[0]?.request_id).toBe('r0');
  });

  it('takes no cursor of another conversation, nor one that was made up', async () => {
    await apply(console_.store, [longCall('conv-other', 'x')], AT + 60_000);
    const { json } = await ask('/conversations/conv-other');
    for (const cursor of [json['messages_next'], json['calls_next'] ?? 'x', made(-1), made(1.5), made(2 ** 31)]) {
      // oxlint-disable-next-line no-await-in-loop -- five
      const { statusCode, body } = await console_.ask(`/conversations/conv-long/messages?cursor=${String(cursor)}`);
      expect([statusCode, body]).toEqual([400, expect.stringContaining('cursor')]);
    }
    expect((await ask(`/conversations/conv-long/messages?cursor=${made(2 ** 31 - 1)}`)).json).toEqual({
      items: [],
      next: null,
    });
    for (const part of ['messages', 'tool-calls']) {
      // oxlint-disable-next-line no-await-in-loop -- two
      const { statusCode, body } = await console_.ask(`/conversations/nobody/${part}`);
      expect([statusCode, body]).toEqual([404, expect.stringContaining('conversation_missing')]);
    }
  });

  it('stays small, however large all else is', async () => {
    const large = 'ж'.repeat(100_000);
    await apply(console_.store, [longCall('conv-heavy', 'x', { found: large })], AT + 120_000);
    await console_.sql(`
      UPDATE conversations SET title = '${large}', summary = '${large}', failure_reason = '${large}', end_reason = '${large}',
        metadata = jsonb_build_object('a', '${large}'), language = '${large}', call_sid = '${large}' WHERE id = 'conv-heavy';
      UPDATE user_profiles SET personality = to_jsonb('${large}'::text), attributes = jsonb_build_object('a', '${large}');
      INSERT INTO user_commands (conversation_id, action_id, command, parameters, created_at)
        SELECT 'conv-heavy', 'a' || i, repeat('ж', 1000), to_jsonb('${large}'::text), now() FROM generate_series(1, 20) i;
      UPDATE conversation_messages SET content = '${large}', details = jsonb_build_object('a', '${large}')
        WHERE conversation_id = 'conv-heavy' AND position < 3;
      UPDATE agent_tool_calls SET parameters = to_jsonb('${large}'::text), result = to_jsonb('${large}'::text)
        WHERE conversation_id = 'conv-heavy' AND request_id IN ('r0', 'r10', 'r20')`);
    const { bytes, json } = await ask('/conversations/conv-heavy');
    expect(bytes).toBeLessThan(MOST_BYTES);
    expect(json).toMatchObject({ transcript: [{ position: 0 }], calls: [{ request_id: 'r0' }], messages: TURNS });
    expect(json['messages_next']).not.toBeNull();
  });
});

describe('a page of 200', () => {
  const asked = numbers(200).map((i) => 199 - i);

  it('has all of 200 conversations with long titles and summaries in Arabic', async () => {
    await console_.sql(`
      INSERT INTO conversations (id, agent_id, user_id, external_number, status, language, dialect, channel, direction, duration_seconds,
        call_successful, title, summary, failure_reason, end_reason, started_at, ended_at, created_at, updated_at)
      SELECT 'conv_01k5m3n8p7q2r9s4t6v8w0x1y' || i, 'agent_01k5m3n8p7q2r9s4t6v8w0x1y', 'user_of_pages', '+12025550100', 'done', 'ar', 'ar-EG',
        'phone', 'inbound', 600, 'failure', '${SAID.repeat(5)}', '${SAID.repeat(20)}', '${SAID.repeat(5)}', '${SAID.repeat(5)}',
        timestamptz '2026-01-20T12:00:00Z' + i * interval '1 second', now(), now(), now()
      FROM generate_series(0, 199) i`);
    const { bytes, json } = await ask('/conversations?user=user_of_pages&limit=200');
    expect(bytes).toBeLessThan(MOST_BYTES);
    expect(json.items.map(({ id }) => id)).toEqual(asked.map((i) => `conv_01k5m3n8p7q2r9s4t6v8w0x1y${i}`));
    expect(json.items[0]?.title).toMatch(/^مرحباً، .{80,}…$/u);
    expect(json.items[0]?.summary).toMatch(/^مرحباً، .{200,}…$/u);
    const { json: whole } = await ask(`/conversations/${json.items[0]?.id ?? ''}`);
    expect([whole['title'], whole['summary']]).toEqual([SAID.repeat(5), SAID.repeat(20)]);
  });

  it('has all of 200 dead events with long errors', async () => {
    await console_.sql(`
      INSERT INTO webhook_events (id, type, event_key, conversation_id, event_at, received_at, origin, outcome, error, body_bytes)
      SELECT gen_random_uuid(), 'post_call_transcription', 'post_call_transcription:conv_01k5m3n8p7q2r9s4t6v8w0x1y', 'conv_of_dead', now(),
        timestamptz '2026-01-20T12:00:00Z' + i * interval '1 second', 'webhook', 'dead',
        jsonb_build_object('code', '22P02', 'attempts', 8, 'message', i || ' ${SAID.repeat(50)}'), 200
      FROM generate_series(0, 199) i`);
    const { bytes, json } = await ask('/events?conversation=conv_of_dead&limit=200');
    expect(bytes).toBeLessThan(MOST_BYTES);
    expect(json.items.map(({ error }) => Number.parseInt(error.message))).toEqual(asked);
    expect(json.items[0]?.error.message).toMatch(/^199 مرحباً.{200,}…$/u);
    const { json: whole } = await ask(`/events/${json.items[0]?.id ?? ''}`);
    expect(whole['error']).toEqual({ code: '22P02', attempts: 8, message: `199 ${SAID.repeat(50)}` });
  });

  it('ends before, where its items are larger than that; the next one goes on there', async () => {
    await console_.sql(`
      UPDATE conversations SET agent_id = repeat('ж', 500) WHERE user_id = 'user_of_pages'`);
    const first = await ask('/conversations?user=user_of_pages&limit=200');
    expect(first.bytes).toBeLessThan(MOST_BYTES);
    expect(first.json.items.length).toBeLessThan(200);
    const second = await ask(`/conversations?user=user_of_pages&limit=200&cursor=${first.json.next ?? ''}`);
    expect([...first.json.items, ...second.json.items].map(({ id }) => id)).toEqual(
      asked.map((i) => `conv_01k5m3n8p7q2r9s4t6v8w0x1y${i}`),
    );
    expect(second.json.next).toBeNull();
  });
});
