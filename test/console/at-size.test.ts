import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { startApp, type AppProcess } from '../support/app-process.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { send } from '../support/post.ts';
import { runSql } from '../support/run-sql.ts';
import { eventId, longConversation, LONG_TURNS, OPERATIONS, REJECTED, seedStatements, TURNS } from './seed.ts';

/** CONSOLE=whole: as many as the promise names, and how long each answer takes. */
const IS_WHOLE = process.env['CONSOLE'] === 'whole';
const SIZE = IS_WHOLE ? { events: 1_000_000, conversations: 100_000 } : { events: 20_000, conversations: 2_000 };

/** The most that one answer may have, in bytes. */
const MOST_BYTES = 300_000;
const PAGE = 50;

/** The most that a page's first answer may take: the median of so many rounds. Asserted by the long form alone. */
const PROMISED_MS = 500;
const ROUNDS = 5;
/** Longer than the dashboard keeps any answer for all consoles. */
const KEPT_MS = 2_500;

const TOKEN = 'the-token-of-this-size';

let database: TestDatabase;
let dashboard: AppProcess | undefined;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const statement of seedStatements(SIZE)) await runSql(database.directUrl, statement);
  dashboard = await startApp('dashboard', {
    env: {
      REDIS_URL: inject('redisUrl'),
      READER_DATABASE_URL: database.url,
      DASHBOARD_PASSWORD: 'the password of this size',
      API_TOKEN: TOKEN,
    },
  });
}, 900_000);
afterAll(async () => {
  await dashboard?.stop();
  await database.drop();
});

/** A list that is filtered is searched, which may run out of time: the answer then says how far it got. */
const MAY_RUN_OUT = /^\/(conversations|events)\?/;

/** Asks the API; prints how long the answer took, and asserts that it is no larger than it may be. */
async function ask(path: string): Promise<unknown> {
  const startedAt = performance.now();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const { status, body } = await send(dashboard?.url ?? '', { method: 'GET', path: `/api/v1${path}`, headers });
  const ms = performance.now() - startedAt;
  if (IS_WHOLE) process.stdout.write(`${path}: ${ms.toFixed(0)} ms, ${body.length} bytes\n`);
  const isFit = status === 200 || (status === 504 && MAY_RUN_OUT.test(path));
  expect({ path, status, body: isFit ? '' : body }).toEqual({ path, status, body: '' });
  expect(Buffer.byteLength(body)).toBeLessThan(MOST_BYTES);
  return JSON.parse(body);
}

const pageSchema = z.object({
  items: z.array(z.looseObject({ id: z.string() })),
  next: z.string().nullable(),
  /** Of a search that ran out of time. */
  looked: z.number().optional(),
});

/** How often a search may run out of time before its page is full. */
const MOST_ROUNDS = 50;

/** Returns the ids of the first page; a search that ran out of time goes on where it stopped. */
async function idsOf(path: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor = '';
  for (let round = 0; round < MOST_ROUNDS; round++) {
    // oxlint-disable-next-line no-await-in-loop -- each begins where the one before ended
    const { items, next, looked } = pageSchema.parse(await ask(path + cursor));
    ids.push(...items.map(({ id }) => id));
    // Where the time was over before anything was looked at, the same is asked once more.
    const isAtEnd = next === null && looked !== 0;
    if (isAtEnd || ids.length >= PAGE) return ids.slice(0, PAGE);
    if (next !== null) cursor = `&cursor=${next}`;
  }
  throw new Error(`${path} has no full page and no end after ${MOST_ROUNDS} answers.`);
}

/** Returns the first numbers for which `holds`, as many as a page has. */
function firstPage(most: number, holds: (i: number) => boolean): number[] {
  const found: number[] = [];
  for (let i = 1; i <= most && found.length < PAGE; i++) if (holds(i)) found.push(i);
  return found;
}

const conversations = (holds: (i: number) => boolean) => firstPage(SIZE.conversations, holds).map((i) => `conv_${i}`);
const events = (holds: (i: number) => boolean) => firstPage(SIZE.events, holds).map(eventId);
const all = () => true;

describe(`the console over ${SIZE.events} events and ${SIZE.conversations} conversations`, { timeout: 300_000 }, () => {
  test.each<[words: string, holds: (i: number) => boolean]>([
    ['', all],
    ['agent=agent_3', (i) => i % 5 === 3],
    ['user=user_7', (i) => Math.floor(i / 10) === 7],
    ['number=%2B12020000007', (i) => Math.floor(i / 10) === 7],
    ['conversation=conv_77', (i) => i === 77],
    ['status=failed', (i) => i % 50 === 4],
    ['status=in_progress&agent=agent_3', (i) => i % 50 === 3],
    ['status=processing', () => false],
    ['language=ar', (i) => i % 3 === 1],
    ['channel=web', (i) => i % 4 === 0],
    ['outcome=failure', (i) => i % 10 === 0],
    ['completeness=missing', (i) => i % 50 === 6],
    ['completeness=unfetchable&agent=agent_2', (i) => i % 1_000 === 7],
    ['completeness=erased', () => false],
    ['min_duration=590', (i) => i % 600 >= 590],
    ['max_duration=5&language=de', (i) => i % 600 <= 5 && i % 3 === 2],
    ['since=2026-01-20T11:50:00Z', (i) => i <= 100],
    ['text=order+1999', (i) => `Order ${i}`.includes('Order 1999')],
    ['text=marzipan', (i) => i % (SIZE.conversations / 4) === 7],
  ])('conversations?%s', async (words, holds) => {
    expect(await idsOf(`/conversations?${words}`)).toEqual(conversations(holds));
  });

  test.each<[words: string, holds: (i: number) => boolean]>([
    ['', all],
    ['conversation=conv_77', (i) => i % SIZE.conversations === 76],
    ['type=post_call_transcription', (i) => i % 20 === 0],
    ['type=conversation.message&outcome=ignored', (i) => i % 50 === 9 && i % 20 > 1],
    ['outcome=dead', (i) => i % 50 === 7],
    ['error=22P02', (i) => i % 50 === 7 && Math.floor(i / 50) % 3 === 1],
    ['origin=replay', () => false],
    ['user=user_7', (i) => Math.floor(((i % SIZE.conversations) + 1) / 10) === 7],
    ['agent=agent_3', (i) => ((i % SIZE.conversations) + 1) % 5 === 3],
    ['since=2026-01-20T11:50:00Z&until=2026-01-20T11:55:00Z', (i) => i <= 1_000 && i > 500],
  ])('events?%s', async (words, holds) => {
    expect(await idsOf(`/events?${words}`)).toEqual(events(holds));
  });

  test('a list goes on where the page before ended, to its end', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let round = 0; cursor !== null && round < MOST_ROUNDS; round++) {
      const path: string = `/conversations?status=failed&agent=agent_4&since=2026-01-20T10:00:00Z&limit=7${cursor}`;
      // oxlint-disable-next-line no-await-in-loop -- page after page
      const { items, next, looked } = pageSchema.parse(await ask(path));
      seen.push(...items.map(({ id }) => id));
      if (next !== null) cursor = `&cursor=${next}`;
      else if (looked !== 0) cursor = null;
    }
    expect(cursor).toBeNull();
    expect(seen).toEqual(Array.from({ length: 24 }, (_, n) => `conv_${n * 50 + 4}`));
  });

  test('one conversation, also a very long one', async () => {
    expect(await ask('/conversations/conv_2')).toMatchObject({
      id: 'conv_2',
      messages: TURNS,
      transcript: Array.from({ length: TURNS }, (_, position) => ({ position })),
      calls: [{ tool_name: 'find_order', parameters: { order: 2 } }, { tool_name: 'find_order' }],
      profile: { user_id: 'user_0' },
      other_conversations: [1, 3, 4, 5, 6, 7, 8, 9].map((i) => ({ id: `conv_${i}` })),
    });
    expect(await ask(`/conversations/${longConversation(SIZE)}`)).toMatchObject({ messages: LONG_TURNS });
  });

  test('one event', async () => {
    expect(await ask(`/events/${eventId(57)}`)).toMatchObject({
      outcome: 'dead',
      error: { code: '22P02', message: 'no valid number: 57', attempts: 8 },
      has_body: true,
    });
  });

  test('failures are three groups', async () => {
    const { items, others } = z
      .object({ others: z.number(), items: z.array(z.looseObject({ code: z.string(), count: z.number() })) })
      .parse(await ask('/failures'));
    const dead = Array.from({ length: SIZE.events / 50 }, (_, n) => n % 3);
    const counts = [0, 1, 2].map((cause) => dead.filter((n) => n === cause).length);
    expect(Object.fromEntries(items.map(({ code, count }) => [code, count]))).toEqual({
      '23514': counts[0],
      '22P02': counts[1],
      '57014': counts[2],
    });
    expect(items).toHaveLength(3);
    expect(others).toBe(0);
    const fingerprint = items.find(({ code }) => code === '57014')?.['fingerprint'];
    expect(await idsOf(`/events?fingerprint=${String(fingerprint)}`)).toEqual(
      events((i) => i % 50 === 7 && Math.floor(i / 50) % 3 === 2),
    );
  });

  test('rejected requests, operations, the provider and the overview', async () => {
    const rejected = z
      .looseObject({ causes: z.array(z.looseObject({ cause: z.string(), count: z.number(), readmitted: z.number() })) })
      .parse(await ask('/rejected'));
    const tooOld = Math.floor(REJECTED / 3);
    expect(rejected.causes.map(({ cause, count, readmitted }) => ({ cause, count, readmitted }))).toEqual([
      { cause: 'another_secret', count: REJECTED - tooOld, readmitted: REJECTED / 5 - Math.floor(REJECTED / 15) },
      { cause: 'stale', count: tooOld, readmitted: Math.floor(REJECTED / 15) },
    ]);
    expect(await idsOf('/rejected?cause=stale')).toEqual(
      firstPage(REJECTED, (i) => i % 3 === 0).map((i) => eventId(i).replace('00000000', '11111111')),
    );
    expect(await idsOf('/operations')).toEqual(
      firstPage(OPERATIONS, all).map((i) => eventId(i).replace('00000000', '22222222')),
    );
    await ask(`/operations/${eventId(3).replace('00000000', '22222222')}`);
    await ask(`/rejected/${eventId(3).replace('00000000', '11111111')}`);
    expect(await ask('/provider')).toMatchObject({
      completeness: {
        open: 0,
        waiting: 0,
        missing: SIZE.conversations / 50,
        unfetchable: SIZE.conversations / 1_000,
      },
      runs: Array.from({ length: 24 }, () => ({ error: null })),
    });
    for (const series of ['hour', 'day']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await ask(`/overview?series=${series}`)).toMatchObject({ redis: { ok: true }, postgres: { ok: true } });
    }
  });

  test.each(IS_WHOLE ? [PROMISED_MS] : [])(`each page's first answer takes less than %d ms, warmed up`, async () => {
    const paths = [
      '/overview?series=hour',
      '/overview?series=day',
      '/conversations',
      '/conversations?completeness=missing',
      '/conversations/conv_2',
      `/conversations/${longConversation(SIZE)}`,
      '/events',
      `/events/${eventId(57)}`,
      '/failures',
      '/rejected',
      `/rejected/${eventId(3).replace('00000000', '11111111')}`,
      '/operations',
      `/operations/${eventId(3).replace('00000000', '22222222')}`,
      '/provider',
    ];
    const took = new Map(paths.map((path): [string, number[]] => [path, []]));
    for (let round = 0; round <= ROUNDS; round++) {
      // oxlint-disable no-await-in-loop -- one after the other
      // What is kept for all consoles is read anew: nobody is to be answered from the round before.
      await delay(KEPT_MS);
      for (const [path, times] of took) {
        const startedAt = performance.now();
        await ask(path);
        // The first round warms everything up.
        if (round > 0) times.push(performance.now() - startedAt);
      }
      // oxlint-enable no-await-in-loop
    }
    const medians = [...took].map(([path, times]): [string, number] => [path, Math.round(median(times))]);
    process.stdout.write(`medians, ms: ${JSON.stringify(Object.fromEntries(medians))}\n`);
    expect(medians.filter(([, ms]) => ms >= PROMISED_MS)).toEqual([]);
  });
});

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}
