import { expect, test } from 'vitest';
import type { Provider } from '../src/index.ts';
import { allOf, errorOf, json, refuse, serve, type Answer } from './support/serve.ts';

const { signal } = new AbortController();
const WINDOW = { from: 1_700_000_000_000, to: 1_700_003_600_000 };
/** Of a call: no error may hold it. */
const WORDS = 'my card number is';

const listAll = async (provider: Provider) => {
  for await (const page of provider.conversations(WINDOW, signal)) expect(page).not.toEqual([]);
};
const fetchOne = (provider: Provider) => provider.conversation('c1', signal);

const account = (fields: object) => json({ conversation_id: 'c1', status: 'done', transcript: [WORDS], ...fields });
const page = (items: readonly object[], rest: object): Answer => json({ conversations: items, ...rest });
const call = { conversation_id: 'c1', status: 'done', start_time_unix_secs: 1_700_000_000, transcript_summary: WORDS };

/** Begins an answer that never ends. */
const endless =
  (start: string): Answer =>
  (_request, response) => {
    response.write(start);
    const more = Buffer.alloc(1024 * 1024, ' ');
    const write = () => {
      while (!response.destroyed && response.write(more));
    };
    response.on('drain', write);
    write();
  };

test.each<[what: string, answer: Answer, ask: (provider: Provider) => Promise<unknown>, facts: object]>([
  [
    'a wrong key',
    refuse(401, 'invalid_api_key'),
    listAll,
    { code: 'unauthorized', status: 401, message: expect.stringContaining('(401, invalid_api_key)') },
  ],
  [
    'a permission that the provider names',
    json(
      {
        detail: {
          status: 'missing_permissions',
          message: 'The API key you used is missing the permission convai_rest to execute this operation.',
        },
      },
      401,
    ),
    listAll,
    { code: 'forbidden', permission: 'convai_rest', message: expect.stringContaining('convai_rest') },
  ],
  [
    'a permission that it does not name',
    refuse(401, 'missing_permissions'),
    (provider) => provider.enableRetries({ id: 'w', name: 'n', isDisabled: false }, signal),
    { code: 'forbidden', permission: 'webhooks_write' },
  ],
  [
    'a plan without it',
    json({ detail: `You have no permission for this: ${WORDS}` }, 403),
    listAll,
    { code: 'forbidden', permission: undefined, message: expect.stringContaining('plan') },
  ],
  ['a call that is gone', json({ detail: 'Not Found' }, 404), fetchOne, { code: 'not_found', status: 404 }],
  [
    'a 404 of somebody else',
    (_request, response) => response.writeHead(404).end('gone'),
    fetchOne,
    { code: 'bad_answer' },
  ],
  [
    'an id that the provider does not take',
    json({ detail: [{ loc: ['path', 'conversation_id'], msg: 'too long', type: 'x' }] }, 422),
    fetchOne,
    { code: 'not_found' },
  ],
  [
    'a request that it does not take',
    json({ detail: [{ loc: ['query', 'page_size'], msg: 'too large', type: 'x', input: WORDS }] }, 422),
    listAll,
    { code: 'refused', message: expect.stringContaining('query.page_size: too large') },
  ],
  ['a web page', (_request, response) => response.end(`<html>${WORDS}`), listAll, { code: 'bad_answer' }],
  ['a web page in place of audio', json({}), (provider) => provider.audio('c1', allOf, signal), { code: 'bad_answer' }],
  [
    'no audio',
    (_request, response) => response.end(),
    (provider) => provider.audio('c1', allOf, signal),
    { code: 'unusable' },
  ],
  ['another call', account({ conversation_id: 'c2' }), fetchOne, { code: 'bad_answer' }],
  ['a call without id', account({ conversation_id: null }), fetchOne, { code: 'bad_answer' }],
  ['a path that leads elsewhere', json({}), (provider) => provider.conversation('..', signal), { code: 'not_found' }],
  [
    'a page of eleven items, none of which can be read',
    page(
      Array.from({ length: 11 }, () => ({ ...call, conversation_id: null })),
      {},
    ),
    listAll,
    { code: 'bad_answer', message: expect.stringContaining('conversations is missing or wrong') },
  ],
  ['a page that is no list', json({ conversations: { c1: call }, has_more: false }), listAll, { code: 'bad_answer' }],
  ['more pages without a cursor', page([call], { has_more: true }), listAll, { code: 'bad_answer' }],
  ['a cursor that repeats', page([call], { has_more: true, next_cursor: 'x' }), listAll, { code: 'bad_answer' }],
  ['an empty page before the end', page([], { has_more: true, next_cursor: 'x' }), listAll, { code: 'bad_answer' }],
  [
    'an account that no event can hold',
    (_request, response) => response.end(`{"conversation_id": "c1"}${' '.repeat(17 * 1024 * 1024)}`),
    fetchOne,
    { code: 'unusable', message: expect.stringContaining('17825792 bytes') },
  ],
  ['an answer without end', endless('{"conversations": ['), listAll, { code: 'unusable' }],
])('tells what is wrong with %s', async (_what, answer, ask, facts) => {
  const { provider } = await serve([answer], { silenceMs: 20_000 });
  const error = await errorOf(ask(provider));
  expect(error).toMatchObject(facts);
  expect(error.message).not.toContain(WORDS);
  // Whoever reads it knows the provider by its name.
  expect(error.message).not.toMatch(/provider/i);
});

test.each([
  ['a problem', 'application/problem+json; charset=utf-8', '{}', 200],
  ['a web page that says it is bytes', 'application/octet-stream', '\n<!doctype html>', 200],
  ['a web page that says it is audio', 'audio/mpeg', '<html>', 200],
  ['text without a type', undefined, 'Gone for lunch', 200],
  ['a part of it', 'audio/mpeg', 'ID3\u0004', 206],
])('takes %s for no audio', async (_name, type, body, status) => {
  const { provider } = await serve([
    (_request, response) => response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body),
  ]);
  await expect(provider.audio('c1', allOf, signal)).rejects.toMatchObject({ code: 'bad_answer' });
});

test('takes audio whose type is not said', async () => {
  const { provider } = await serve([(_request, response) => response.writeHead(200).end('ID3\u0004 and sound')]);
  expect((await provider.audio('c1', allOf, signal)).toString()).toBe('ID3\u0004 and sound');
});

test('reads what the provider leaves out, or has added', async () => {
  const { provider } = await serve([account({ metadata: { start_time_unix_secs: 0, phone_call: 7 } })]);
  expect(await fetchOne(provider)).toMatchObject({
    agentId: null,
    userId: null,
    externalNumber: null,
    status: 'done',
    startedAt: null,
    durationSeconds: null,
  });
});

test('lets a call that nobody knows the status of be no finished one, and lists by status', async () => {
  const { provider, asked } = await serve([
    page(
      [
        { ...call, status: 'dreaming' },
        { ...call, conversation_id: 'c2' },
      ],
      {},
    ),
  ]);
  const found = [];
  for await (const calls of provider.conversations({ ...WINDOW, statuses: ['processing'] }, signal))
    found.push(...calls);
  expect(found).toMatchObject([{ id: 'c1', status: 'processing' }]);
  expect(asked[0]).toContain(
    '&exclude_statuses=initiated&exclude_statuses=in-progress&exclude_statuses=done&exclude_statuses=failed',
  );
});
