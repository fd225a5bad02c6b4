import type { ReconcileRun } from '@landline/store';
import { expect, test } from 'vitest';
import { ended, makeConversation } from '../../../../test/support/provider/conversation.ts';
import { beginComparison } from '../../src/reconcile/begin-comparison.ts';
import { MOST_CHEAP, shortWindowOf, slicesOf } from '../../src/reconcile/window.ts';
import { aComparison, minutesAgo } from './a-comparison.ts';
import { SAME_DAY } from './same-day.ts';

const HOUR = 3_600_000;
const DAY = 24 * 60;
const hours = (from: number, to: number) => ({ from: from * HOUR, to: to * HOUR });

test.each([
  { what: 'is short', window: hours(0, 6), isSmall: false, slices: [hours(0, 6)] },
  { what: 'is a little longer than a slice', window: hours(0, 7), isSmall: false, slices: [hours(0, 7)] },
  { what: 'is longer than two', window: hours(0, 14), isSmall: false, slices: [hours(0, 7), hours(7, 14)] },
  { what: 'has few calls', window: hours(0, 8_000), isSmall: true, slices: [hours(0, 8_000)] },
  { what: 'is empty', window: hours(3, 3), isSmall: false, slices: [hours(3, 3)] },
])('a window that $what is listed in slices that leave nothing out', ({ window, isSmall, slices }) => {
  expect(slicesOf(window, isSmall)).toEqual(slices);
});

const YEAR = 8_760;
const NOW = 2 * YEAR * HOUR;

/** A good run that listed a whole window of three days, ten minutes ago. */
const COUNTED: ReconcileRun = {
  id: 'a',
  windowFrom: NOW - 72 * HOUR,
  windowTo: NOW - HOUR / 6,
  startedAt: NOW - HOUR / 6,
  finishedAt: NOW,
  error: null,
  listed: 10_000,
  complete: 0,
  waiting: 0,
  fetched: 0,
  fetchedRecordings: 0,
  unfetchable: 0,
};

test.each([
  { what: 'nobody has counted', counted: undefined, since: YEAR, count: YEAR / 6 },
  { what: 'is like one of few calls', counted: COUNTED, since: undefined, count: 1 },
  { what: 'is twice one of few calls, almost', counted: COUNTED, since: 143, count: 1 },
  { what: 'is far longer than one of few calls', counted: COUNTED, since: YEAR, count: YEAR / 6 },
  { what: 'is like one of many calls', counted: { ...COUNTED, listed: 10_001 }, since: 72, count: 72 / 6 },
])('a window that $what has $count slices', async ({ counted, since, count }) => {
  const store = {
    lastGoodRun: async () => counted,
    lastWholeRun: async () => counted,
    oldestWindow: async () => counted?.windowFrom,
  };
  const sinceMs = since && NOW - since * HOUR;
  const options = { store, windowHours: 72, since: sinceMs, now: NOW, keepsAudio: false, keptDays: {} };
  expect((await beginComparison(options)).slices).toHaveLength(count);
});

test.each([
  { what: 'three hours before the last good run', lastGood: 71.75, from: 68.75 },
  { what: 'no earlier than the whole window', lastGood: 1, from: 0 },
  { what: 'three hours ago where the clock was set back', lastGood: 99, from: 69 },
])('a short window begins $what', ({ lastGood, from }) => {
  expect(shortWindowOf(hours(0, 72), { windowTo: lastGood * HOUR })).toEqual(hours(from, 72));
});

test('a whole window is cheap up to a hundred requests', () => {
  expect(MOST_CHEAP).toBe(100 * 100);
});

const hoursAgo = (seconds: string | null) => Math.round((Date.now() / 1000 - Number(seconds)) / 3_600);

/** Windows of six hours from so many hours ago on. */
const slices = (from: number) => Array.from({ length: from / 6 }, (_, i) => `${from - 6 * i}-${from - 6 * (i + 1)}`);

const YESTERDAY = `UPDATE reconciliations SET window_from = window_from - interval '1 day', window_to = window_to - interval '1 day'`;

test('many calls are listed whole once a day, in slices; the other runs list the newest, and ask for what is not through by its id', async () => {
  const without = { hasAudio: false } as const;
  const running = makeConversation({ id: 'running', status: 'in-progress', startedAt: minutesAgo(5 * 60) });
  const mute = makeConversation({ id: 'mute', status: 'in-progress', startedAt: minutesAgo(5 * 60) });
  const calls = [1, 36 * 60, 60 * 60].map((ago, i) =>
    makeConversation({ id: `call_${i}`, startedAt: minutesAgo(ago + 60), ...without }),
  );
  // At the border of two slices.
  const border = makeConversation({ id: 'border', startedAt: minutesAgo(36 * 60), ...without });
  const line = await aComparison([running, mute, border, ...calls], { mostCheap: 5 });
  /** Which windows the list was asked for, in hours before now. */
  const listed = () => {
    const lists = line.provider.requests.splice(0).filter(({ path }) => path === '/v1/convai/conversations');
    return lists.map(
      ({ query }) => `${hoursAgo(query.get('call_start_after_unix'))}-${hoursAgo(query.get('call_start_before_unix'))}`,
    );
  };

  expect(await line.runScheduled()).toMatchObject({ status: 'done', done: 4 });
  expect(listed()).toEqual(slices(72));
  expect(await line.last()).toMatchObject({ listed: '6', complete: '4', waiting: '2' });

  // Of one of the two that have ended no webhook comes, and of the other one without its turns: only the list had said how many there are.
  line.provider.conversations.set('running', ended(running, { durationSeconds: 3_600, ...without }));
  const over = ended(mute, { durationSeconds: 3_600, said: ['Hello'], ...without });
  line.provider.conversations.set('mute', over);
  await line.receive({ ...over, transcript: [] });
  line.provider.conversations.set('late', makeConversation({ id: 'late', startedAt: minutesAgo(2 * DAY), ...without }));
  await line.sql(SAME_DAY);
  expect(await line.runScheduled()).toMatchObject({ status: 'done', total: 2, done: 2 });
  expect(listed()).toEqual(['3-0']);
  expect(await line.completeness()).toMatchObject({ running: 'complete', mute: 'complete' });
  expect(await line.sql(`SELECT content FROM conversation_messages WHERE conversation_id = 'mute'`)).toEqual([
    { content: 'Hello' },
  ]);
  // A run that fails moves nothing: the next one begins where it would have.
  // Two hours, or what the day (UTC) has of them.
  const back = Math.min(2, new Date().getUTCHours());
  await line.sql(
    `UPDATE reconciliations SET window_from = window_from - interval '${back} hours', window_to = window_to - interval '${back} hours'`,
  );
  const endFault = line.provider.fail({ kind: 'invalid_api_key', path: '/v1/convai/conversations', times: 'always' });
  expect(await line.runScheduled()).toMatchObject({ status: 'failed' });
  endFault();
  expect(await line.runScheduled()).toMatchObject({ status: 'done', total: 0 });
  expect(listed()).toEqual([`${3 + back}-0`, `${3 + back}-0`]);

  // The first run of the next day finds what the list did not have before.
  await line.sql(YESTERDAY);
  expect(await line.runScheduled()).toMatchObject({ status: 'done', total: 1, done: 1 });
  expect(listed()).toEqual(slices(96));
  expect(await line.completeness()).toMatchObject({ late: 'complete' });
  // So does whoever asks by hand.
  await line.run();
  expect(listed()).toEqual(slices(72));
  // A good run of a clock that was ahead does not stand for the day's first one, and the next one does.
  await line.sql(`UPDATE reconciliations SET window_to = window_to + interval '2 days'`);
  await line.runScheduled();
  expect(listed()).toEqual(slices(72));
  await line.sql(SAME_DAY);
  await line.runScheduled();
  expect(listed()).toEqual(['3-0']);
}, 60_000);

test('few calls are listed whole by every run, in one request', async () => {
  const line = await aComparison([makeConversation({ id: 'one', hasAudio: false })]);
  await line.runScheduled();
  line.provider.requests.splice(0);
  await line.sql(SAME_DAY);
  await line.runScheduled();
  const [list, ...more] = line.provider.requests;
  expect(more).toEqual([]);
  expect(Number(list?.query.get('call_start_after_unix'))).toBeLessThan(minutesAgo(3 * DAY));
});
