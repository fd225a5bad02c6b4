import { createActivityWriter, createCanaryMark, type MinuteActivity } from '@landline/queue';
import type { Attention } from '@landline/store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordDeadBodies } from '../../../../test/support/dead-ledger.ts';
import { attentionOf } from '../../src/api/overview/attention.ts';
import { activitySince, seriesOf } from '../../src/api/overview/figures.ts';
import { kept } from '../../src/api/kept.ts';
import { overviewOf } from '../../src/api/overview/overview.ts';
import type { Reading } from '../../src/api/overview/reading.ts';
import { openConsole, type AConsole } from './support/a-console.ts';

const MINUTE = 60_000;
/** 2026-01-05T09:07:30Z */
const AT = Date.UTC(2026, 0, 5, 9, 7, 30);
const NOTHING = { accepted: 0, refused: 0, applied: 0, fetched: 0, ignored: 0, duplicate: 0, dead: 0 };

function minute(at: number, counts: Partial<MinuteActivity> = {}): MinuteActivity {
  return { at, ...NOTHING, receiptToRow: Array.from({ length: 17 }, () => 0), ...counts };
}

function buckets(counts: Record<number, number>): number[] {
  return Array.from({ length: 17 }, (_, i) => counts[i] ?? 0);
}

const NO_BACKLOG = { jobs: 0, events: 0, oldestSeconds: 0, seconds: 0 };
const QUEUE = {
  shards: [],
  away: [],
  backlog: NO_BACKLOG,
  deadLetters: 0,
  rejected: 0,
  events: {
    waiting: 0,
    active: 0,
    delayed: 0,
    failed: 0,
  },
};
const WELL: Attention = {
  dead: 0,
  deadSince: null,
  failedOperations: [],
  rejectedLately: {},
  recordingsToRemoveFailing: 0,
  operationsRunning: 0,
  operationsPlanned: 0,
  missing: 0,
  providerFaults: [],
  reconciledAt: AT - MINUTE,
  reconcileEveryMs: null,
};
const FAILED = { kind: 'reconcile', count: 1, id: '5', message: 'The API key is refused.' };
const RECEIVER = { role: 'receiver' as const, id: 'host:1', at: AT - 1000, gauges: { spoolFiles: 2, spoolBytes: 30 } };
const WORKER = { role: 'worker' as const, id: 'host:2', at: AT - 1000, gauges: { databaseOpen: 1 } };

/** How a line is that is well. */
function aReading(changed: Partial<Reading> = {}): Reading {
  return {
    at: AT,
    now: minute(AT - MINUTE),
    minutes: [],
    processes: [RECEIVER, WORKER],
    queue: QUEUE,
    canarySentAt: AT - 3e4,
    attention: WELL,
    redisFault: null,
    postgresFault: null,
    journalHeldSince: null,
    ...changed,
  };
}

describe('figures', () => {
  const minutes = [
    minute(AT - 30_000 - 24 * 60 * MINUTE, { accepted: 1_000 }),
    minute(AT - 30_000 - 60 * MINUTE, { accepted: 100, dead: 1 }),
    minute(AT - 30_000 - 59 * MINUTE, { accepted: 10, receiptToRow: buckets({ 0: 1 }) }),
    minute(AT - 30_000, { accepted: 1, fetched: 4, refused: 2, receiptToRow: buckets({ 4: 1 }) }),
  ];

  it('are the sums of the last hour and the last day, with the minute that runs', () => {
    expect(activitySince(minutes, AT, 60 * MINUTE)).toEqual({
      ...NOTHING,
      accepted: 11,
      fetched: 4,
      refused: 2,
      receipt_to_row_ms: {
        p50: 5,
        p99: 99,
      },
    });
    expect(activitySince(minutes, AT, 24 * 60 * MINUTE)).toMatchObject({ accepted: 111, dead: 1 });
  });

  it('are curves of equal spans', () => {
    const hour = seriesOf(minutes, AT, 'hour');
    expect([hour.from, hour.step_seconds]).toEqual(['2026-01-05T08:08:00.000Z', 60]);
    expect(hour.accepted).toEqual([10, ...Array<number>(58).fill(0), 1]);
    expect([hour.p50_ms[0], hour.p50_ms[1], hour.p50_ms[59]]).toEqual([2.5, null, 75]);
    const day = seriesOf(minutes, AT, 'day');
    expect([day.from, day.step_seconds, day.accepted.length]).toEqual(['2026-01-04T09:10:00.000Z', 600, 144]);
    expect([day.accepted[137], day.accepted[143], day.dead[137]]).toEqual([110, 1, 1]);
  });
});

describe('what needs attention', () => {
  it('is nothing while the line is well', () => {
    expect(attentionOf(aReading())).toEqual([]);
  });

  it.each([
    ['dead letters', { attention: { ...WELL, dead: 2, deadSince: AT } }, 'dead_letters', '/failures'],
    ['refused', { attention: { ...WELL, rejectedLately: { no_time: 1 } } }, 'rejected', '/rejected?cause=no_time'],
    [
      'failed work',
      { attention: { ...WELL, failedOperations: [FAILED] } },
      'failed_operations',
      '/operations?operation=5',
    ],
    ['files that stay', { attention: { ...WELL, recordingsToRemoveFailing: 3 } }, 'recordings_stay', '/operations'],
    ['what never came', { attention: { ...WELL, missing: 3 } }, 'conversations_missing', '/provider'],
    ['the provider', { attention: { ...WELL, providerFaults: ['It is off.'] } }, 'provider_fault', '/provider'],
    ['late runs', { attention: { ...WELL, reconciledAt: AT - 73 * 60 * MINUTE } }, 'reconcile_late', '/provider'],
    ['no worker', { processes: [RECEIVER] }, 'no_worker', '/queues'],
    ['no receiver', { processes: [WORKER] }, 'no_receiver', '/queues'],
    ['a shut worker', { processes: [RECEIVER, { ...WORKER, gauges: { databaseOpen: 0 } }] }, 'worker_waits', '/queues'],
    ['a full disk', { processes: [{ ...RECEIVER, gauges: { journalUp: 0 } }, WORKER] }, 'journal_down', '/queues'],
    ['a journal', { journalHeldSince: AT - MINUTE }, 'journal_held', '/queues'],
    ['a job', { queue: { ...QUEUE, backlog: { ...NO_BACKLOG, oldestSeconds: 61 } } }, 'queue_waits', '/queues'],
    ['a canary', { canarySentAt: AT - 301_000 }, 'canary_old', '/events?type=landline.canary'],
    ['Redis', { redisFault: 'away', now: null, minutes: null, processes: null, queue: null }, 'redis_away', '/queues'],
    ['Postgres', { postgresFault: 'away', attention: null }, 'postgres_away', '/events'],
  ] satisfies [string, Partial<Reading>, string, string][])('tells of %s', (_what, changed, code, href) => {
    expect(attentionOf(aReading(changed))).toMatchObject([{ code, href, text: expect.stringMatching(/\w/) }]);
  });

  it.each([
    [1, 0, '1 event could not be applied; it has waited for less than a minute.'],
    [2, 3, '2 events could not be applied; the oldest has waited for 3 minutes.'],
    [1_200, 119, '1,200 events could not be applied; the oldest has waited for 119 minutes.'],
    [10_000, 47 * 60, '10,000 events could not be applied; the oldest has waited for 47 hours.'],
    [10_001, 50 * 60, 'More than 10,000 events could not be applied; the oldest has waited for 2 days.'],
  ])('says of %i dead events how long they wait', (dead, minutes, text) => {
    const attention = { ...WELL, dead, deadSince: AT - minutes * MINUTE };
    expect(attentionOf(aReading({ attention }))).toMatchObject([{ text }]);
  });

  it('says how long journals have held events', () => {
    expect(attentionOf(aReading({ journalHeldSince: AT - 2 * MINUTE }))).toMatchObject([
      { text: 'Journals have held events that Redis does not have for 2 minutes.' },
    ]);
  });

  it.each([
    // A comparison every 15 minutes is late after an hour, one each day after three.
    [15 * MINUTE, 60 * MINUTE, false],
    [15 * MINUTE, 61 * MINUTE, true],
    [24 * 60 * MINUTE, 3 * 24 * 60 * MINUTE, false],
    [24 * 60 * MINUTE, 3 * 24 * 60 * MINUTE + 1, true],
    [null, 3 * 24 * 60 * MINUTE, false],
    [null, 3 * 24 * 60 * MINUTE + 1, true],
  ])('takes comparisons %s ms apart for late after %d ms: %s', (reconcileEveryMs, ago, isLate) => {
    const attention = { ...WELL, reconciledAt: AT - ago, reconcileEveryMs };
    expect(attentionOf(aReading({ attention })).map(({ code }) => code)).toEqual(isLate ? ['reconcile_late'] : []);
  });

  it('says nothing of comparisons where none was ever made, and counts what it does not quote', () => {
    expect(attentionOf(aReading({ attention: { ...WELL, reconciledAt: null } }))).toEqual([]);
    const textsOf = (changed: Partial<Attention>) =>
      attentionOf(aReading({ attention: { ...WELL, ...changed } })).map(({ text }) => text);
    expect(textsOf({ missing: 1 })).toEqual(['1 conversation is missing here, in whole or in part.']);
    expect(textsOf({ missing: 10_001 })).toEqual([
      'More than 10,000 conversations are missing here, in whole or in part.',
    ]);
    expect(textsOf({ providerFaults: ['It is off.', 'b'] })).toEqual(['At ElevenLabs: It is off. And 1 fault more.']);
    expect(textsOf({ providerFaults: ['It is off.', 'b', 'c'] })).toEqual([
      'At ElevenLabs: It is off. And 2 faults more.',
    ]);
  });

  it('says which work failed, how often, and why', () => {
    const failedOperations = [{ ...FAILED, count: 3 }, FAILED, { ...FAILED, kind: 'new', message: null }];
    expect(attentionOf(aReading({ attention: { ...WELL, failedOperations } })).map(({ text }) => text)).toEqual([
      'The comparison with ElevenLabs failed 3 times within the last day, and has not ended well since: The API key is refused.',
      'The comparison with ElevenLabs failed once within the last day, and has not ended well since: The API key is refused.',
      'The operation new failed once within the last day, and has not ended well since.',
    ]);
  });

  it('names errors first', () => {
    const found = attentionOf(aReading({ canarySentAt: 0, attention: { ...WELL, dead: 1 } }));
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'warning']);
  });
});

it('what cannot be read is null', () => {
  const away = { now: null, minutes: null, processes: null, queue: null, canarySentAt: null, redisFault: 'away' };
  expect(overviewOf(aReading(away), 'hour')).toMatchObject({
    now: null,
    hour: null,
    day: null,
    series: null,
    queue: null,
    journal: null,
    spool: null,
    canary_age_seconds: null,
    processes: [],
    redis: {
      ok: false,
      message: 'away',
    },
    postgres: { ok: true },
  });
  expect(overviewOf(aReading(), 'day')).toMatchObject({ journal: null, spool: { files: 2, bytes: 30 } });
});

describe('a kept reading', () => {
  it('is one for all who ask at once, and for a while; a fault is not kept', async () => {
    let now = 0;
    let asked = 0;
    let fault: Error | undefined;
    const read = kept(
      async () => (fault === undefined ? (asked += 1) : Promise.reject(fault)),
      1_000,
      () => now,
    );
    expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
    now = 999;
    expect(await read()).toBe(1);
    now = 1_000;
    expect(await read()).toBe(2);
    now = 2_000;
    fault = new Error('away');
    await expect(read()).rejects.toThrow('away');
    fault = undefined;
    expect(await read()).toBe(3);
  });
});

describe('the overview of a line', () => {
  let console_: AConsole;
  beforeAll(async () => void (console_ = await openConsole()));
  afterAll(() => console_.close());

  it('shows within two seconds what receivers and workers have counted', async () => {
    const { servers, store, ask } = console_;
    const canary = createCanaryMark(servers);
    const sentAt = Date.now() - 10_000;
    await vi.waitFor(async () => {
      await canary.note(sentAt);
      expect(await canary.newest()).toBe(sentAt);
    }, 20_000);
    canary.close();
    await recordDeadBodies(store, [Buffer.from('{}')]);
    const writers = (['receiver', 'worker'] as const).map((role) =>
      createActivityWriter({ ...servers, role, onError: () => undefined }),
    );
    const [receiver, worker] = writers;
    receiver?.gauges(() => ({ journalPendingRecords: 3, journalPendingBytes: 400 }));
    for (const writer of writers) writer.start();
    receiver?.count('accepted', 5);
    worker?.count('applied', 4);
    worker?.observeReceiptToRow(7);
    await vi.waitFor(
      async () =>
        expect((await ask('/overview?series=day')).json()).toMatchObject({
          now: {
            accepted: 5,
            applied: 4,
            dead: 0,
            receipt_to_row_ms: { p50: 7.5 },
          },
          hour: { accepted: 5 },
          day: { accepted: 5 },
          series: { step_seconds: 600 },
          queue: {
            waiting: 0,
            oldest_seconds: null,
          },
          journal: {
            events: 3,
            bytes: 400,
          },
          spool: null,
          processes: [{ role: 'receiver' }, { role: 'worker' }],
          redis: {
            ok: true,
            message: null,
          },
          postgres: {
            ok: true,
            message: null,
          },
          attention: [
            {
              code: 'dead_letters',
              text: expect.stringMatching(/^1 event could not be applied; it has waited for \d+ days\.$/),
            },
          ],
        }),
      { timeout: 20_000, interval: 50 },
    );
    const { canary_age_seconds: age } = (await ask('/overview')).json();
    expect(age).toBeGreaterThanOrEqual(10);
    await Promise.all(writers.map((writer) => writer.close()));
  });
});
