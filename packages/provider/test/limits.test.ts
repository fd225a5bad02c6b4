import { expect, test } from 'vitest';
import { pagesOf, type Page } from '../src/read/pages.ts';
import { Client, type ReadPieces } from '../src/request/client.ts';
import { API_KEY, errorOf, json, serve, type Answer } from './support/serve.ts';

/** NOTHING_MISSING=whole: audio without end is read up to the true bound. */
const IS_WHOLE = process.env['NOTHING_MISSING'] === 'whole';
const MIB = 1024 * 1024;
/** Of a call's audio. */
const AUDIO_LIMIT = 3072 * MIB;
const MOST_PAGES = 10_000;

const { signal } = new AbortController();

/** Sends sound for as long as somebody reads it, and does not say how much. */
const endless: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg' });
  const sound = Buffer.alloc(MIB, 7);
  const write = () => {
    while (!response.destroyed && response.write(sound));
  };
  response.on('drain', write);
  write();
};

/** Has audio read to its end, which is an error. Returns that, and how much came before. */
async function bytesBefore(ask: (read: ReadPieces<void>) => Promise<void>): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0;
  const read = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) bytes += piece.length;
  };
  const error: unknown = await ask(read).catch((reason: unknown) => reason);
  return { bytes, error };
}

test('audio that announces no end is cut where it has more bytes than it may, and leaves its place to others', async () => {
  const { url } = await serve([endless, endless, endless, json({})]);
  const client = new Client({
    apiKey: API_KEY,
    origin: url,
    firstPauseMs: 1,
    tries: 1,
    silenceMs: 20_000,
    patienceMs: Infinity,
  });
  const ask = { path: '/audio', what: 'audio', permission: 'none', signal };
  // More often than there are places.
  for (let nth = 0; nth < 3; nth++) {
    const options = { limitBytes: 3 * MIB, check: () => undefined };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { bytes, error } = await bytesBefore((read) => client.stream(ask, options, read));
    expect(bytes).toBeLessThanOrEqual(3 * MIB);
    expect(error).toMatchObject({ code: 'unusable', message: expect.stringContaining(`more than ${3 * MIB} bytes`) });
  }
  expect(await client.read(ask, MIB, (bytes) => bytes.toString())).toBe('{}');
});

test.each(IS_WHOLE ? [AUDIO_LIMIT] : [])(
  "a call's audio without end is cut at %d bytes, and none of it is held",
  { timeout: 300_000 },
  async (limit) => {
    const { provider } = await serve([endless], { silenceMs: 60_000 });
    const before = process.memoryUsage().rss;
    const { bytes, error } = await bytesBefore((read) => provider.audio('c1', read, signal));
    const grown = process.memoryUsage().rss - before;
    process.stdout.write(`${bytes} bytes of audio: the memory has grown by ${Math.round(grown / MIB)} MiB\n`);
    expect(error).toMatchObject({ code: 'unusable', message: expect.stringContaining(`more than ${limit} bytes`) });
    expect(bytes).toBeLessThanOrEqual(limit);
    expect(bytes).toBeGreaterThan(limit - MIB);
    // The server of this process holds some of it as well.
    expect(grown).toBeLessThan(256 * MIB);
  },
);

/** A list of so many pages; each has one item, which is its number. */
function listOf(pages: number) {
  let asked = 0;
  const read = (cursor: string | undefined): Promise<Page<number>> => {
    expect(cursor).toBe(asked === 0 ? undefined : `after ${asked}`);
    asked++;
    return Promise.resolve({ items: [asked], hasMore: asked < pages, cursor: `after ${asked}` });
  };
  return { pages: pagesOf('the list', read), asked: () => asked };
}

async function lastOf(pages: AsyncIterable<number[]>): Promise<{ last: number; error: unknown }> {
  let last = 0;
  try {
    for await (const page of pages) last = page.at(-1) ?? last;
    return { last, error: undefined };
  } catch (error) {
    return { last, error };
  }
}

test(`a list of ${MOST_PAGES} pages is read to its end; of a longer one all these are given before the error`, async () => {
  expect(await lastOf(listOf(MOST_PAGES).pages)).toEqual({ last: MOST_PAGES, error: undefined });
  const endlessList = listOf(Infinity);
  const { last, error } = await lastOf(endlessList.pages);
  expect(last).toBe(MOST_PAGES);
  expect(error).toMatchObject({
    code: 'bad_answer',
    message: expect.stringContaining(`more than ${MOST_PAGES} pages`),
  });
  expect(endlessList.asked()).toBe(MOST_PAGES);
});

const page = (id: string, cursor: string) => {
  const call = { conversation_id: id, status: 'done', start_time_unix_secs: 1_700_000_000 };
  return json({ conversations: [call], has_more: true, next_cursor: cursor });
};

test('what a page has is given before the error that it does not say how the list goes on', async () => {
  const { provider, asked } = await serve([page('c1', 'x'), page('c2', 'y'), page('c3', 'x')]);
  const found: string[] = [];
  const list = async () => {
    for await (const some of provider.conversations({ from: 1_700_000_000_000, to: 1_700_000_000_000 }, signal)) {
      found.push(...some.map(({ id }) => id));
    }
  };
  expect((await errorOf(list())).message).toContain('leads back to a page that was read');
  expect(found).toEqual(['c1', 'c2', 'c3']);
  expect(asked).toHaveLength(3);
});

/** A list whose first page, and the one behind so many empty ones, has an item. */
function listWith(empty: number) {
  let at = 0;
  return pagesOf('the list', () => {
    at++;
    const isEmpty = at > 1 && at <= 1 + empty;
    return Promise.resolve({ items: isEmpty ? [] : [at], hasMore: at < 2 + empty, cursor: `after ${at}` });
  });
}

test('empty pages are passed over, up to a hundred in a row', async () => {
  expect(await lastOf(listWith(100))).toEqual({ last: 102, error: undefined });
  expect(await lastOf(listWith(101))).toEqual({
    last: 1,
    error: expect.objectContaining({
      code: 'bad_answer',
      message: expect.stringContaining('100 empty pages in a row'),
    }),
  });
});
