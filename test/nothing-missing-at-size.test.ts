import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openAudioSink, type ReconcilePorts } from '@landline/operations';
import { openProvider } from '@landline/provider';
import { createSpool } from '@landline/recordings';
import { describe, expect, onTestFinished, test } from 'vitest';
import { aComparison, MIB, minutesAgo } from '../packages/operations/test/reconcile/a-comparison.ts';
import { watched } from '../packages/recordings/test/storage/support/live-memory.ts';
import { startLine, type Line } from './nothing-missing/line.ts';
import { callId, startLongList, type LongList } from './nothing-missing/long-list.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { resetPeak, usageOf } from './support/usage.ts';

/** NOTHING_MISSING=whole: the sizes that the promise names. */
const IS_WHOLE = process.env['NOTHING_MISSING'] === 'whole';
const CALLS = IS_WHOLE ? 300_000 : 3_000;
const MISSING = IS_WHOLE ? 1_000 : 30;
const TIMEOUT = IS_WHOLE ? 1_800_000 : 180_000;

/**
 * How much more memory a worker may have while it compares, in MB: it holds a page, and not the list. In the long form V8 lets some 170 MB of garbage lie
 * before it collects; from the middle of the list on there is no more, and the next comparison has to do with that.
 */
const MOST_GROWN_MB = { first: IS_WHOLE ? 250 : 100, next: 100 };

async function aLongList(): Promise<LongList> {
  const list = await startLongList(minutesAgo(120));
  onTestFinished(() => list.close());
  return list;
}

/** Calls of the list that came whole, from the first one on. */
const cameWhole = (calls: number) =>
  `INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, ended_at, call_successful, transcript_clock, completeness)
     SELECT 'call_' || n, 'done', '{}', at, at, at, at, 'success', gen_random_uuid(), 'complete'
     FROM generate_series(0, ${calls - 1}) AS n, LATERAL (SELECT now() - interval '2 hours') AS t (at);
   INSERT INTO webhook_events (id, conversation_id, type, event_at, received_at, applied_at, origin, outcome, body_bytes)
     SELECT gen_random_uuid(), c.id, 'post_call_transcription', c.started_at, c.started_at, c.started_at, 'webhook', 'applied', 0 FROM conversations AS c;
   ANALYZE conversations; ANALYZE webhook_events`;

/** The versions of all rows: they change with each write, whatever it writes. */
const VERSIONS = `SELECT count(*)::int AS rows, sum(hashtextextended(c.xmin || ' ' || c.ctid, 0))::text AS versions FROM conversations AS c`;

const LAST_RUN = `SELECT listed::int, complete::int, waiting::int, fetched::int, unfetchable::int, error FROM reconciliations ORDER BY started_at DESC LIMIT 1`;

/** Linux alone tells it. */
const measured = process.platform === 'linux' ? usageOf : () => ({ cpuSeconds: 0, memoryMb: 0, peakMemoryMb: 0 });

/** Runs a comparison in the worker. Prints how long it took, and by how much the worker's memory grew; returns the latter, in MB. */
async function grownBy(line: Line, pid: number, what: string): Promise<number> {
  resetPeak(pid);
  const before = measured(pid);
  const startedAt = performance.now();
  expect(await line.run()).toMatchObject({ status: 'done' });
  const after = measured(pid);
  const grown = after.peakMemoryMb - before.memoryMb;
  const seconds = (performance.now() - startedAt) / 1000;
  const facts = `${seconds.toFixed(1)} s, ${(after.cpuSeconds - before.cpuSeconds).toFixed(1)} s of the worker's CPU, ${grown.toFixed(0)} MB more at most`;
  process.stdout.write(`${CALLS} listed calls, ${what}: ${facts}\n`);
  return grown;
}

test(
  `${CALLS} listed calls are one request for each hundred, and no write; of these ${MISSING} are missing, and are fetched`,
  { timeout: TIMEOUT },
  async () => {
    const list = await aLongList();
    const line = await startLine();
    await line.sql(cameWhole(CALLS));
    const { pid } = await line.startWorker(list);
    await line.untilDone('reconcile');
    list.calls = CALLS;
    list.pages = 0;
    const versions = await line.sql(VERSIONS);

    expect(await grownBy(line, pid, 'all here')).toBeLessThan(MOST_GROWN_MB.first);
    expect({ pages: list.pages, asked: list.asked }).toEqual({ pages: CALLS / 100, asked: [] });
    expect(await line.sql(VERSIONS)).toEqual(versions);
    const counts = { listed: CALLS, complete: CALLS, waiting: 0, fetched: 0, unfetchable: 0, error: null };
    expect(await line.sql(LAST_RUN)).toEqual([counts]);

    const lost = Array.from({ length: MISSING }, (_, n) => callId(n * (CALLS / MISSING)));
    const ids = lost.map((id) => `'${id}'`).join();
    await line.sql(
      `DELETE FROM conversations WHERE id IN (${ids}); DELETE FROM webhook_events WHERE conversation_id IN (${ids})`,
    );
    list.pages = 0;
    expect(await grownBy(line, pid, `${MISSING} missing`)).toBeLessThan(MOST_GROWN_MB.next);
    expect(list.pages).toBe(CALLS / 100);
    expect(list.asked.toSorted()).toEqual(lost.map((id) => `/${id}`).toSorted());
    expect(await line.sql(LAST_RUN)).toEqual([{ ...counts, fetched: MISSING }]);
    expect(await line.sql(`SELECT completeness, count(*)::int AS n FROM conversations GROUP BY 1`)).toEqual([
      { completeness: 'complete', n: CALLS },
    ]);
  },
);

/** A comparison with a list, in this process. */
async function compareWith(list: LongList, audio?: AudioSink) {
  const provider = openProvider({ apiKey: list.apiKey, url: list.url, firstPauseMs: 2, tries: 1 });
  onTestFinished(() => provider.close());
  return aComparison([], { provider, audio });
}

describe('a list that does not end', () => {
  test('because a page repeats: what came before is fetched, and the run says why it failed', async () => {
    const [given, reason] = [30, 'leads back to a page that was read'];
    const list = await aLongList();
    const line = await compareWith(list);
    Object.assign(list, { calls: 50, pageSize: 10, repeating: 2 });
    // Where the list was not read to its end, nobody knows what it does not have.
    await line.sql(`INSERT INTO conversations (id, status, clocks, created_at, updated_at, started_at, completeness)
      SELECT 'ours', 'done', '{}', at, at, at, 'missing' FROM (SELECT now() - interval '2 hours') AS t (at)`);
    const failed = await line.run();
    expect(failed).toMatchObject({ status: 'failed', total: given, done: given, failed: 0 });
    expect(failed.message).toContain(reason);
    expect(await line.last()).toMatchObject({ listed: `${given}`, error: expect.stringContaining(reason) });
    const expected = Object.fromEntries(Array.from({ length: given }, (_, n) => [callId(n), 'complete']));
    expect(await line.completeness()).toEqual({ ...expected, ours: 'missing' });

    list.repeating = undefined;
    expect(await line.run()).toMatchObject({ status: 'done', total: 51 - given, failed: 0 });
    expect(list.asked.toSorted()).toEqual(
      ['ours', ...Array.from({ length: 50 }, (_, n) => callId(n))].map((id) => `/${id}`).toSorted(),
    );
    expect(new Set(Object.values(await line.completeness()))).toEqual(new Set(['complete']));
  });

  test.each(IS_WHOLE ? [10_000] : [])(
    'is read up to its %dth page, and the run says why it failed',
    { timeout: TIMEOUT },
    async (pages) => {
      const list = await aLongList();
      const line = await compareWith(list);
      await line.sql(cameWhole(pages));
      await line.sql(`UPDATE conversations SET completeness = NULL`);
      Object.assign(list, { calls: Infinity, pageSize: 1 });
      expect(await line.run()).toMatchObject({ status: 'failed', message: expect.stringContaining(`${pages} pages`) });
      expect({ pages: list.pages, asked: list.asked }).toEqual({ pages, asked: [] });
      expect(await line.last()).toMatchObject({ listed: `${pages}`, complete: `${pages}` });
      expect(await line.sql(`SELECT DISTINCT completeness FROM conversations`)).toEqual([{ completeness: 'complete' }]);
    },
  );
});

type AudioSink = NonNullable<ReconcilePorts['audio']>;

/** Of an event with audio, in bytes. */
const EVENT_LIMIT = (IS_WHOLE ? 256 : 24) * MIB;

/** A spool of the test, and what takes audio into it. `most` is the most that was held at once, in bytes. */
async function aSink() {
  const dir = join(await makeTempFolder(), 'spool');
  const kept: string[] = [];
  const spool = createSpool({
    dir,
    limitBytes: 1024 * MIB,
    onBody: ({ facts }) => void kept.push(facts.eventId),
    onError: (error) => expect.unreachable(error.message),
    onReady: () => undefined,
  });
  await spool.open();
  onTestFinished(() => spool.close());
  const sink = openAudioSink({ spool, limitBytes: EVENT_LIMIT });
  const held = { most: 0 };
  const onLive = (bytes: number) => void (held.most = Math.max(held.most, bytes));
  const audio: AudioSink = {
    take: (call, pieces, beforeKept) => sink.take(call, watched(pieces, onLive), beforeKept),
  };
  const files = async () => (await readdir(dir, { recursive: true })).filter((name) => !name.endsWith('lock'));
  return { audio, spool, held, kept, files };
}

test(
  'audio that has no end is cut where no event could hold it, and its call is unfetchable',
  { timeout: TIMEOUT },
  async () => {
    const list = await aLongList();
    const { audio, spool, held, kept, files } = await aSink();
    const empty = await files();
    const line = await compareWith(list, audio);
    Object.assign(list, { calls: 3, endless: new Set([callId(1)]) });
    const operation = await line.run();
    expect(operation).toMatchObject({ status: 'done', total: 3, done: 2, failed: 1 });
    const reason = `audio: its audio is larger than an event of ${EVENT_LIMIT} bytes may hold`;
    expect(operation.message).toContain(`Unfetchable: ${callId(1)} (${reason}: see BODY_LIMIT_BYTES`);
    expect(await line.completeness()).toEqual({ call_0: 'complete', call_1: 'unfetchable', call_2: 'complete' });
    expect({ kept, files: await files(), bytes: spool.stats().bytes }).toEqual({ kept: [], files: empty, bytes: 0 });
    process.stdout.write(
      `audio without end, cut at ${EVENT_LIMIT} bytes: ${Math.round(held.most / MIB)} MiB at once\n`,
    );
    expect(held.most).toBeLessThan(12 * MIB);
  },
);
