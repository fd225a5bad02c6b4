import { expect, test } from 'vitest';
import type { ListedConversation } from '../src/index.ts';
import { allOf, API_KEY, json, refuse, serve, type Answer } from './support/serve.ts';

const { signal } = new AbortController();
const WINDOW = { from: 1_700_000_000_500, to: 1_700_003_600_000 };

function listed(id: string, status = 'done') {
  return { conversation_id: id, agent_id: 'a', status, start_time_unix_secs: 1_700_000_001, call_duration_secs: 9 };
}

async function listOf(pages: AsyncIterable<ListedConversation[]>): Promise<ListedConversation[]> {
  const found = [];
  for await (const page of pages) found.push(...page);
  return found;
}

test('lists the calls of a window page by page, each once, with the key in the header', async () => {
  const keys: unknown[] = [];
  const noted =
    (answer: Answer): Answer =>
    (request, response) => {
      keys.push(request.headers['xi-api-key']);
      answer(request, response);
    };
  const { provider, asked } = await serve([
    noted(json({ conversations: [listed('c1'), listed('c2', 'dreaming')], has_more: true, next_cursor: 'x y' })),
    noted(
      json({
        conversations: [
          listed('c2'),
          {
            ...listed('c3', 'in-progress'),
            call_duration_secs: null,
            message_count: 4,
            direction: 'inbound',
            call_summary_title: 'T',
          },
        ],
        has_more: false,
        next_cursor: null,
        news: 1,
      }),
    ),
  ]);
  const calls = await listOf(provider.conversations(WINDOW, signal));
  expect(calls.map(({ id, status }) => [id, status])).toEqual([
    ['c1', 'done'],
    ['c2', 'processing'],
    ['c3', 'in-progress'],
  ]);
  expect(calls[2]).toEqual({
    id: 'c3',
    agentId: 'a',
    status: 'in-progress',
    startedAt: 1_700_000_001_000,
    isStartKnown: true,
    durationSeconds: 0,
    messageCount: 4,
    direction: 'inbound',
    title: 'T',
    summary: null,
    callSuccessful: null,
    endReason: null,
  });
  expect(asked[0]).toBe(
    'GET /v1/convai/conversations?page_size=100&sort_direction=asc&call_start_after_unix=1700000000&call_start_before_unix=1700003600',
  );
  expect(asked[1]).toContain('&cursor=x+y');
  expect(keys).toEqual([API_KEY, API_KEY]);
});

test('lists a call without a usable start at that of the one before it, and leaves out what has no id', async () => {
  const start = (id: string, start_time_unix_secs: unknown, call_duration_secs: unknown = 9) => ({
    ...listed(id),
    start_time_unix_secs,
    call_duration_secs,
  });
  const first = [start('c1', 0), { ...listed('x'), conversation_id: null }, 'news', start('c2', '1700000005', 1e9)];
  const next = [start('c3', 'soon'), start('c4', 250_000_000_000, -1), start('c5', 1_700_000_009)];
  const { provider } = await serve([
    json({ conversations: first, has_more: true, next_cursor: 'x' }),
    json({ conversations: next, has_more: false }),
  ]);
  const calls = await listOf(provider.conversations(WINDOW, signal));
  expect(
    calls.map(({ id, startedAt, isStartKnown, durationSeconds }) => [id, startedAt, isStartKnown, durationSeconds]),
  ).toEqual([
    ['c1', WINDOW.from, false, 9],
    ['c2', 1_700_000_005_000, true, 0],
    ['c3', 1_700_000_005_000, false, 9],
    ['c4', 1_700_000_005_000, false, 0],
    ['c5', 1_700_000_009_000, true, 9],
  ]);
});

const page = (conversations: unknown, next?: string) =>
  json({ conversations, has_more: next !== undefined, next_cursor: next });

test('an item that cannot be read costs none of the others, also where it is alone on its page, and is counted', async () => {
  const { provider } = await serve([
    page([listed('c1'), {}, listed('x'.repeat(257)), listed('y'.repeat(256))], 'a'),
    page([null], 'b'),
    page([{ ...listed(''), status: 'done' }]),
  ]);
  const counts: number[] = [];
  const calls = await listOf(
    provider.conversations({ ...WINDOW, onUnreadable: (count) => counts.push(count) }, signal),
  );
  expect(calls.map(({ id }) => id)).toEqual(['c1', 'y'.repeat(256)]);
  expect(counts).toEqual([2, 1, 1]);
});

test('reads how many messages a call has, and nothing where that is no count', async () => {
  const counts = [0, 2, '3', -1, 1.5, 1e6, 'many', null, {}];
  const { provider } = await serve([
    json({ conversations: counts.map((message_count, i) => ({ ...listed(`c${i}`), message_count })), has_more: false }),
  ]);
  const calls = await listOf(provider.conversations(WINDOW, signal));
  expect(calls.map(({ messageCount }) => messageCount)).toEqual([0, 2, 3, null, null, null, null, null, null]);
});

test('fetches an account with its exact bytes, and asks once more where it is not found', async () => {
  const account = {
    conversation_id: 'c/1',
    agent_id: 'a',
    status: 'done',
    user_id: null,
    has_audio: true,
    metadata: {
      start_time_unix_secs: 1_700_000_000,
      call_duration_secs: 61.5,
      phone_call: { direction: 'inbound', external_number: '+49 30 1234567' },
    },
    conversation_initiation_client_data: { user_id: 'u1', dynamic_variables: {} },
    transcript: [{ role: 'user', message: 'Hi' }],
  };
  const { provider, asked } = await serve([refuse(404, 'conversation_not_found'), json(account)]);
  const { bytes, ...facts } = await provider.conversation('c/1', signal);
  expect(facts).toEqual({
    id: 'c/1',
    agentId: 'a',
    userId: 'u1',
    externalNumber: '+49301234567',
    status: 'done',
    startedAt: 1_700_000_000_000,
    durationSeconds: 61.5,
  });
  expect(bytes.toString()).toBe(JSON.stringify(account));
  expect(asked).toEqual(['GET /v1/convai/conversations/c%2F1', 'GET /v1/convai/conversations/c%2F1']);
});

test('fetches audio piece by piece, and asks once more where it is not found', async () => {
  const sound = Buffer.alloc(300_000, 7);
  const { provider, asked } = await serve([
    refuse(404, 'conversation_not_found'),
    (_request, response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(sound),
  ]);
  expect((await provider.audio('c1', allOf, signal)).equals(sound)).toBe(true);
  expect(asked).toEqual(Array.from({ length: 2 }, () => 'GET /v1/convai/conversations/c1/audio'));
});
