import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openTransactions, type Transactions } from '../../src/connection/transactions.ts';
import { StoreError } from '../../src/errors.ts';
import { conversationFilterSchema, needsSearch } from '../../src/lookup/conversation-filter.ts';
import { conversationLookupOn } from '../../src/lookup/conversation-lookup.ts';
import { openLookups, type Lookups } from '../../src/lookup/lookups.ts';
import { audioOf, eventsOfCall, PERSON, urlsOf } from '../support/a-person.ts';
import { anEvent, AT } from '../support/an-event.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const MINUTE = 60_000;
const NOW = AT + 60 * MINUTE;

let lookups: Lookups;
beforeAll(async () => {
  lookups = openLookups({ databaseUrl: context.url });
  await context.store.apply([
    ...eventsOfCall('c1'),
    anEvent({
      type: 'conversation.started',
      at: AT + 2 * MINUTE,
      data: { conversation_id: 'c2', agent_id: 'agent_2' },
    }),
    message('c2', 2, 'Kept 50%_of it, then \\ and ÄRGER'),
    message('c2', 3, 'مرحبا بك'),
    anEvent({
      type: 'conversation.started',
      at: AT + 3 * MINUTE,
      data: { conversation_id: 'c3', user_id: PERSON.user, language: 'ar-EG' },
    }),
    anEvent({ type: 'conversation.started', at: AT + 3 * MINUTE, data: { conversation_id: 'c4' } }),
  ]);
  await context.sql(
    `UPDATE conversations SET external_number = '+12025550199', channel = 'sip' WHERE id IN ('c2', 'c4')`,
  );
  await context.sql(`UPDATE conversations SET completeness = CASE id WHEN 'c1' THEN 'complete' WHEN 'c2' THEN 'missing' ELSE 'unfetchable' END
    WHERE id IN ('c1', 'c2', 'c3')`);
  return () => lookups.close();
});

function message(conversation: string, minutes: number, text: string) {
  return anEvent({
    type: 'conversation.message',
    at: AT + minutes * MINUTE,
    eventId: `${conversation} ${minutes}`,
    data: { conversation_id: conversation, role: 'user', message: text },
  });
}

const turn = (role: string, text: string | null, more: object = {}) => ({
  role,
  message: text,
  time_in_call_secs: 3,
  ...more,
});

const filterOf = (words: Record<string, string>) => conversationFilterSchema(NOW).parse(words);
const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id);
const reasonOf = async (id: string) => (await lookups.conversations.get(id))?.completenessReason;
const list = async (words: Record<string, string>, limit = 100) =>
  idsOf(await lookups.conversations.list(filterOf(words), { limit }));

describe('conversations are listed, the newest first,', () => {
  test.each([
    [{}, ['c4', 'c3', 'c2', 'c1']],
    [{ conversation: 'c2' }, ['c2']],
    [{ agent: 'agent_1' }, ['c1']],
    [{ user: PERSON.user }, ['c3', 'c1']],
    [{ number: '+1 202 555 0199' }, ['c4', 'c2']],
    [{ status: 'done' }, ['c1']],
    [{ status: 'in_progress' }, ['c4', 'c3', 'c2']],
    [{ language: 'AR' }, ['c3']],
    [{ channel: 'sip' }, ['c4', 'c2']],
    [{ outcome: 'success' }, ['c1']],
    [{ completeness: 'complete' }, ['c1']],
    [{ completeness: 'missing' }, ['c2']],
    [{ completeness: 'unfetchable', user: PERSON.user }, ['c3']],
    [{ completeness: 'open' }, []],
    [{ min_duration: '61', max_duration: '61' }, ['c1']],
    [{ min_duration: '61.5' }, []],
    [{ since: new Date(AT + 2 * MINUTE).toISOString(), until: new Date(AT + 3 * MINUTE).toISOString() }, ['c2']],
    [{ channel: 'sip', agent: 'agent_2', since: '59m' }, ['c2']],
    // `text` is for the search.
    [{ user: PERSON.user, text: 'nobody said' }, ['c3', 'c1']],
  ])('by %j', async (words, ids) => {
    expect(await list(words)).toEqual(ids);
  });

  test('with all that a listing shows', async () => {
    expect(await lookups.conversations.list(filterOf({ conversation: 'c1' }), { limit: 1 })).toEqual([
      {
        id: 'c1',
        agentId: 'agent_1',
        userId: PERSON.user,
        status: 'done',
        channel: 'phone',
        direction: 'inbound',
        externalNumber: PERSON.number,
        language: 'en',
        dialect: 'gb',
        startedAt: AT,
        endedAt: AT + 61_000,
        durationSeconds: 61,
        title: PERSON.name,
        summary: `${PERSON.name} asked`,
        callSuccessful: 'success',
        failureReason: null,
        endReason: `Left by ${PERSON.name}`,
        messages: 2,
        toolCalls: 1,
        hasRecording: true,
        erasedAt: null,
        completeness: 'complete',
      },
    ]);
  });

  test('by erased alone where an older worker has erased one, whatever was found of it before', async () => {
    await context.sql(`UPDATE conversations SET erased_at = now() WHERE id IN ('c1', 'c2')`);
    onTestFinished(() => context.sql('UPDATE conversations SET erased_at = NULL').then(() => undefined));
    for (const completeness of ['complete', 'missing']) expect(await list({ completeness })).toEqual([]);
    expect(await list({ completeness: 'erased' })).toEqual(['c2', 'c1']);
    expect((await search({ completeness: 'erased' })).found).toEqual(['c2', 'c1']);
    expect((await lookups.conversations.get('c2'))?.completeness).toBe('erased');
  });

  test('page by page without a gap or a repeat, also within one millisecond', async () => {
    const first = await lookups.conversations.list({}, { limit: 1 });
    const second = await lookups.conversations.list({}, { limit: 1, after: first[0] });
    const rest = await lookups.conversations.list({}, { limit: 9, after: second[0] });
    expect([first, second, rest].map(idsOf)).toEqual([['c4'], ['c3'], ['c2', 'c1']]);
    expect(first[0]?.startedAt).toBe(second[0]?.startedAt);
  });
});

async function search(words: Record<string, string>, signal?: AbortSignal) {
  const steps = lookups.conversations.search(filterOf(words), { signal });
  const found: string[] = [];
  let looked = 0;
  for (;;) {
    const step = await steps.next();
    if (step.done) return { found, looked, isComplete: step.value };
    found.push(...idsOf(step.value.found));
    looked += step.value.looked;
  }
}

/** Transactions in which a search of more conversations at once runs out of time. */
function outOfTimeBeyond(most: number) {
  const limits: number[] = [];
  const transactions = openTransactions({ databaseUrl: context.url });
  onTestFinished(() => transactions.close());
  const run: Transactions['run'] = (work) =>
    transactions.run((ask, atCommit) =>
      work(async (statement) => {
        if (!statement.sql.includes('slice')) return ask(statement);
        limits.push(Number(statement.parameters.at(-1)));
        if ((limits.at(-1) ?? 0) <= most) return ask(statement);
        throw new StoreError('canceling statement due to statement timeout', { faultClass: 'timeout', code: '57014' });
      }, atCommit),
    );
  return { run, limits };
}

async function searchIn({ run, limits }: ReturnType<typeof outOfTimeBeyond>, text: string) {
  const found: string[] = [];
  for await (const step of conversationLookupOn({ run }).search({ text })) found.push(...idsOf(step.found));
  return { found, limits };
}

/** The place of one of many conversations, each of which began a second before the one before. */
const placeOf = (i: number) => ({ id: `many ${i}`, startedAt: AT - i * 1000 });

describe('what no index has is looked for', () => {
  test.each([
    [{ status: 'done' }, ['c1']],
    [{ language: 'AR' }, ['c3']],
    [{ channel: 'sip' }, ['c4', 'c2']],
    [{ outcome: 'success' }, ['c1']],
    [{ outcome: 'failure' }, []],
    [{ completeness: 'complete' }, ['c1']],
    [{ completeness: 'erased' }, []],
    [{ min_duration: '61', max_duration: '61' }, ['c1']],
    [{ channel: 'sip', text: 'مرحبا' }, ['c2']],
    [{ status: 'done', text: 'مرحبا' }, []],
  ])('by %j', async (words, found) => {
    expect(await search(words)).toEqual({ found, looked: 4, isComplete: true });
    expect(needsSearch(filterOf(words))).toBe(true);
  });

  test.each([
    {},
    { agent: 'a' },
    { since: '1h' },
    { user: 'u', status: 'done' },
    { number: '1', channel: 'sip' },
    { completeness: 'missing' },
  ])('but not by %j', (words) => expect(needsSearch(filterOf(words))).toBe(false));

  test('slice after slice, and each tells how far back it looked', async () => {
    await context.sql(`INSERT INTO conversations (id, status, language, started_at, created_at, updated_at)
      SELECT 'many ' || i, 'done', CASE WHEN i = 3000 OR i <= 80 THEN 'he' END, to_timestamp(${AT / 1000} - i), now(), now()
      FROM generate_series(1, 3000) i`);
    const steps: unknown[] = [];
    for await (const { looked, position, found } of lookups.conversations.search(filterOf({ language: 'he' }))) {
      steps.push([looked, position, found.length]);
    }
    // The first slice ends where it has found enough; the four others of this file came before it.
    expect(steps).toEqual([
      [68, placeOf(64), 64],
      [2936, placeOf(3000), 17],
    ]);
    const slow = outOfTimeBeyond(8);
    const found: string[] = [];
    const steady = conversationLookupOn({ run: slow.run }).search(filterOf({ language: 'he', until: '100m' }));
    for await (const step of steady) found.push(...idsOf(step.found));
    expect(found).toEqual(['many 3000']);
    expect(slow.limits.slice(0, 2)).toEqual([64, 8]);
    await context.sql(`DELETE FROM conversations WHERE id LIKE 'many %'`);
  });
});

describe('a text is looked for in title, summary and messages', () => {
  test.each([
    ['zenobia', ['c1']],
    ['asked', ['c1']],
    ['the SEVENTH lantern', ['c1']],
    ['50%_of', ['c2']],
    ['5%of', []],
    ['n \\ a', ['c2']],
    ['مرحبا', ['c2']],
    ['ärger', ['c2']],
    ['\\ AND ÄrGeR', ['c2']],
    ['ä.ger', []],
    ["it's; --", []],
  ])('%s', async (text, found) => {
    expect(await search({ text })).toEqual({ found, looked: 4, isComplete: true });
  });

  test('within what the other words select, and behind a place', async () => {
    expect(await search({ text: 'zenobia', user: 'nobody' })).toEqual({ found: [], looked: 0, isComplete: true });
    expect(await search({ text: 'quill', until: '59m' })).toEqual({ found: ['c1'], looked: 1, isComplete: true });
    const [c2] = await lookups.conversations.list(filterOf({ conversation: 'c2' }), { limit: 1 });
    const behind = await lookups.conversations.search({ text: 'a' }, { after: c2 }).next();
    expect(behind.value).toMatchObject({ looked: 1, position: { id: 'c1', startedAt: AT } });
  });

  test('until the time is over, and that is told', async () => {
    expect(await search({ text: 'zenobia' }, AbortSignal.abort())).toEqual({ found: [], looked: 0, isComplete: false });
  });

  test('slice after slice', async () => {
    await context.sql(`INSERT INTO conversations (id, status, started_at, created_at, updated_at, title)
      SELECT 'many ' || i, 'done', to_timestamp(${AT / 1000} - i), now(), now(), CASE WHEN i % 100 = 0 THEN 'a Needle' END
      FROM generate_series(1, 600) i`);
    expect(await search({ text: 'needle' })).toEqual({
      found: [100, 200, 300, 400, 500, 600].map((i) => `many ${i}`),
      looked: 604,
      isComplete: true,
    });
    const slow = await searchIn(outOfTimeBeyond(8), 'needle');
    expect(slow.found).toEqual([100, 200, 300, 400, 500, 600].map((i) => `many ${i}`));
    // The first slice, and once more in parts: larger ones are not tried again.
    expect(slow.limits.slice(0, 3)).toEqual([64, 8, 8]);
    expect(new Set(slow.limits.slice(1))).toEqual(new Set([8]));
    await expect(searchIn(outOfTimeBeyond(7), 'needle')).rejects.toMatchObject({ code: '57014' });
    await context.sql(`DELETE FROM conversations WHERE id LIKE 'many %'`);
  });
});

describe('of one conversation is read', () => {
  test('the row, without clocks', async () => {
    const found = await lookups.conversations.get('c1');
    expect(found).toMatchObject({
      id: 'c1',
      agentNumber: '+12025550100',
      callSid: `CA-${PERSON.user}`,
      summary: `${PERSON.name} asked`,
      analysis: { call_summary_title: PERSON.name },
      deleteTranscriptAt: null,
      createdAt: AT,
      updatedAt: AT + 6 * MINUTE,
      messages: 2,
    });
    expect(found?.metadata).toMatchObject({ note: PERSON.name });
    expect(Object.keys(found ?? {}).filter((name) => /clock/i.test(name))).toEqual([]);
  });

  test('what was said, with each tool call after its turn', async () => {
    expect(await lookups.conversations.messages('c1')).toMatchObject([
      {
        source: 'transcript',
        position: 0,
        role: 'agent',
        timeInCallSeconds: 1,
        createdAt: AT + 1000,
        interrupted: null,
      },
      { position: 1, role: 'user', content: 'About the seventh lantern.', createdAt: AT + 4000 },
    ]);
    expect(await lookups.conversations.messages('c1', { offset: 1, limit: 1 })).toMatchObject([{ position: 1 }]);
    expect(await lookups.conversations.messages('c2')).toMatchObject([
      { source: 'live', position: null, createdAt: AT + 2 * MINUTE },
      { source: 'live', content: 'مرحبا بك', createdAt: AT + 3 * MINUTE },
    ]);
    expect(await lookups.conversations.toolCalls('c1')).toMatchObject([
      { requestId: 'r1', toolName: 'look_up', parameters: { name: PERSON.name }, createdAt: AT + 4000, position: 1 },
    ]);
  });

  test('a tool call of a second with several turns, after the turn of the agent that says nothing', async () => {
    await context.store.apply([
      anEvent({
        type: 'post_call_transcription',
        data: {
          conversation_id: 'tools',
          transcript: [
            turn('agent', 'One moment.'),
            turn('user', 'Yes.'),
            turn('agent', null, { tool_calls: [{ request_id: 'a', tool_name: 'look_up' }] }),
            turn('agent', 'It came.'),
            {
              role: 'agent',
              message: 'Bye',
              time_in_call_secs: 9,
              tool_calls: [{ request_id: 'b', tool_name: 'end_call' }],
            },
          ],
          metadata: { start_time_unix_secs: AT / 1000 - 86_400 },
        },
      }),
    ]);
    const calls = await lookups.conversations.toolCalls('tools');
    expect(calls.map(({ requestId, position }) => [requestId, position])).toEqual([
      ['a', 2],
      ['b', 4],
    ]);
    const second = await lookups.conversations.toolCalls('tools', { offset: 1, limit: 1 });
    expect(second).toEqual([calls[1]]);
  });

  test('why it is unfetchable, or missing', async () => {
    await context.sql(`UPDATE conversations SET completeness_reason = 'the provider does not have it' WHERE id = 'c3'`);
    onTestFinished(() => context.sql('UPDATE conversations SET completeness_reason = NULL').then(() => undefined));
    expect([await reasonOf('c3'), await reasonOf('c2')]).toEqual(['the provider does not have it', null]);
  });

  test('commands, recordings, profile and other calls', async () => {
    const { conversations } = lookups;
    expect(await conversations.commands('c1')).toMatchObject([{ actionId: 'a1', command: `Call ${PERSON.name}` }]);
    expect(await conversations.recordings('c1')).toEqual([
      {
        eventId: audioOf('c1').entry.id,
        url: urlsOf('c1')[0],
        contentType: 'audio/mpeg',
        bytes: 3,
        sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        createdAt: AT + 6 * MINUTE,
        storedAt: AT,
        deletedAt: null,
      },
    ]);
    expect(await conversations.profile('c1')).toMatchObject({
      userId: PERSON.user,
      phoneNumber: PERSON.number,
      firstSeenAt: AT,
    });
    expect(await conversations.profile('c4')).toBeUndefined();
    expect(idsOf(await conversations.otherCalls('c1', 10))).toEqual(['c3']);
    expect(idsOf(await conversations.otherCalls('c4', 10))).toEqual(['c2']);
    await context.sql(`UPDATE conversations SET external_number = 'anonymous' WHERE id IN ('c2', 'c4')`);
    expect(await conversations.otherCalls('c4', 10)).toEqual([]);
  });

  test('all of it, on one connection, and nothing more once nobody waits', async () => {
    const { conversations } = lookups;
    const narrow = openLookups({ databaseUrl: context.url, poolSize: 1 });
    onTestFinished(() => narrow.close());
    const { signal } = new AbortController();
    expect(await narrow.conversations.whole('c1', { parts: 2, others: 1, signal })).toEqual({
      row: await conversations.get('c1'),
      messages: await conversations.messages('c1', { limit: 2 }),
      toolCalls: await conversations.toolCalls('c1', { limit: 2 }),
      commands: await conversations.commands('c1'),
      recordings: await conversations.recordings('c1'),
      profile: await conversations.profile('c1'),
      others: await conversations.otherCalls('c1', 1),
    });
    for (const id of ['nobody', 'a\0b'])
      expect(await narrow.conversations.whole(id, { parts: 1, others: 1, signal })).toBeUndefined();
    let statements = 0;
    const gone = new AbortController();
    const transactions = openTransactions({ databaseUrl: context.url, isReadOnly: true });
    onTestFinished(() => transactions.close());
    const leaving = conversationLookupOn({
      run: (work) =>
        transactions.run((run, runAtCommit) =>
          work((statement) => {
            statements += 1;
            gone.abort();
            return run(statement);
          }, runAtCommit),
        ),
    });
    const options = { parts: 1, others: 1, signal: gone.signal };
    await expect(leaving.whole('c1', options)).rejects.toThrow(/abort/i);
    await expect(leaving.whole('c1', options)).rejects.toThrow(/abort/i);
    expect(statements).toBe(1);
  });

  test.each(['nobody', '', 'a\0b', '\ud800'])('nothing, where there is none: %j', async (id) => {
    const { conversations } = lookups;
    expect(await conversations.get(id)).toBeUndefined();
    expect(await conversations.profile(id)).toBeUndefined();
    for (const part of ['messages', 'toolCalls', 'commands', 'recordings'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- four
      expect(await conversations[part](id)).toEqual([]);
    }
    expect(await conversations.otherCalls(id, 1)).toEqual([]);
  });
});

test('an erased conversation is listed, and found by no text', async () => {
  await context.store.forgetConversations(['c1'], { transcript: true, audio: true });
  expect(await lookups.conversations.list(filterOf({ conversation: 'c1' }), { limit: 1 })).toMatchObject([
    { id: 'c1', title: null, messages: 0, hasRecording: false, erasedAt: expect.any(Number) },
  ]);
  expect(await search({ text: 'zenobia' })).toMatchObject({ found: [] });
});
