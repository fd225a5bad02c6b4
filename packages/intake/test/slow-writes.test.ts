import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createJournal, type Journal } from '@landline/journal';
import { openQueues } from '@landline/queue';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { jobSchema } from '../../queue/test/support/job-schema.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';
import type { IntakeOptions } from '../src/intake.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';

const MEBIBYTE = 1024 * 1024;
/** 8 MiB of text that does not get smaller when it is packed. */
const LARGE = `large ${randomBytes(6 * MEBIBYTE).toString('base64')}`;
/** How long any other event may wait for Redis, in ms: so long a stall of the machine costs none of them its answer. */
const TIMEOUT_MS = 2500;
/** Bytes a second: the large event takes 2.8 seconds, which is longer than that. */
const RATE = 3_000_000;

let redis: PrivateRedis;
let line: TcpProxy;
beforeEach(async () => {
  redis = await startPrivateRedis();
  line = await startTcpProxy(redis.url);
});
afterEach(async () => {
  await line.close();
  await redis.remove();
});

async function aJournal(): Promise<Journal> {
  const journal = createJournal({
    dir: await makeTempFolder(),
    limitBytes: 1024 * MEBIBYTE,
    retentionHours: 24,
  });
  onTestFinished(() => journal.close());
  await journal.open();
  return journal;
}

async function started(options: Pick<IntakeOptions, 'journal' | 'onGroup'> = {}): Promise<TestIntake> {
  const intake = anIntake({ redisUrl: line.url, enqueueTimeoutMs: TIMEOUT_MS, ...options });
  await intake.start();
  return intake;
}

/** What is in the queue: the first word of the body of each event, sorted. */
async function queued(): Promise<string[]> {
  const queues = openQueues({ redisUrl: redis.url });
  try {
    await queues.ping();
    const jobs = await queues.events.getJobs(['waiting', 'active', 'delayed', 'failed'], 0, 10_000);
    return jobs.flatMap(({ data }) => jobSchema.parse(data).events.map(({ body }) => nameOf(body))).sort();
  } finally {
    await queues.close();
  }
}

function nameOf(body: string): string {
  return body.slice(0, 20).split(' ')[0] ?? '';
}

/** Ten small events a second until `isOver`; each must be taken. Resolves to their names. */
async function smallEvents(intake: TestIntake, isOver: () => boolean): Promise<string[]> {
  const names: string[] = [];
  const outcomes: Promise<string>[] = [];
  while (!isOver()) {
    const name = `small${names.length}`;
    names.push(name);
    outcomes.push(intake.accept(anEvent(name)).then(() => 'taken', String));
    await delay(100);
  }
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['taken']));
  return names;
}

/** Sends the large event beside small ones, until `hasEnded` holds. Resolves to the names of the small ones. */
async function besideSmallOnes(intake: TestIntake, hasEnded: () => boolean): Promise<string[]> {
  let isOver = false;
  const small = smallEvents(intake, () => isOver);
  await waitUntil(hasEnded, { timeoutMs: 60_000 }).finally(() => {
    isOver = true;
  });
  return small;
}

/** Resolves when Redis holds exactly these events, each once. */
async function expectQueuedOnce(names: string[]): Promise<void> {
  await waitUntil(async () => (await queued()).length >= names.length);
  expect(await queued()).toEqual([...names].sort());
}

/** What an intake reports whose Redis was well all the time. */
const NEVER_AWAY = { status: 'ready', errors: [], returns: 0 };

function reportsOf(intake: TestIntake): unknown {
  return { status: intake.status(), errors: intake.errors, returns: intake.returns() };
}

describe('a large event over a slow line, with a journal', () => {
  it('is in Redis once, is answered in time, and costs the small ones beside it nothing', async () => {
    const journal = await aJournal();
    let isAnswered = false;
    let wasAnsweredBefore: boolean | undefined;
    const intake = await started({
      journal,
      onGroup({ bytes }) {
        if (bytes > MEBIBYTE) wasAnsweredBefore = isAnswered;
      },
    });
    line.limit(RATE);
    const answer = intake.accept(anEvent(LARGE)).then(() => (isAnswered = true));
    const small = await besideSmallOnes(intake, () => wasAnsweredBefore !== undefined);
    await answer;
    // The line needs longer than the limit, after which the journal alone is enough.
    expect(wasAnsweredBefore).toBe(true);
    await expectQueuedOnce(['large', ...small]);
    expect(journal.stats()).toMatchObject({ pendingRecords: 0 });
    expect(reportsOf(intake)).toEqual(NEVER_AWAY);
  });

  it('is in Redis once when its connection is cut in the middle', async () => {
    const journal = await aJournal();
    const intake = await started({ journal });
    line.limit(RATE);
    line.cutAfter(4 * MEBIBYTE);
    const answer = intake.accept(anEvent(LARGE));
    const small = await besideSmallOnes(intake, () => intake.stats().reenqueuedRecords > 0);
    await answer;
    await expectQueuedOnce(['large', ...small]);
    expect(journal.stats()).toMatchObject({ pendingRecords: 0 });
    expect(reportsOf(intake)).toEqual(NEVER_AWAY);
  });

  it('is enqueued once by catch-up, also when the connection of catch-up is cut', async () => {
    const journal = await aJournal();
    (await journal.append([anEvent(LARGE)])).failed();
    const intake = await started({ journal });
    line.limit(RATE);
    line.cutAfter(4 * MEBIBYTE);
    const small = await besideSmallOnes(intake, () => intake.stats().reenqueuedRecords > 0);
    await expectQueuedOnce(['large', ...small]);
    expect(journal.stats()).toMatchObject({ pendingRecords: 0 });
    expect(reportsOf(intake)).toEqual(NEVER_AWAY);
    expect(intake.warnings).toEqual([expect.stringContaining('A group of the journal is not enqueued yet')]);
  });
});

it('a group that Redis cannot take holds up no other, and is enqueued when Redis can', async () => {
  // Redis ends a connection whose argument is longer.
  await redis.run(['CONFIG', 'SET', 'proto-max-bulk-len', String(MEBIBYTE)]);
  const journal = await aJournal();
  for (const body of ['first', LARGE, 'second']) (await journal.append([anEvent(body)])).failed();
  const intake = await started({ journal });
  await expectQueuedOnce(['first', 'second']);
  // While it is tried, it is not pending.
  await waitUntil(() => journal.stats().pendingRecords === 1);
  await redis.run(['CONFIG', 'SET', 'proto-max-bulk-len', String(512 * MEBIBYTE)]);
  await expectQueuedOnce(['first', 'large', 'second']);
  await waitUntil(() => journal.stats().pendingRecords === 0);
  expect(reportsOf(intake)).toEqual(NEVER_AWAY);
  expect([...new Set(intake.warnings)]).toEqual([
    expect.stringContaining('A group of the journal is not enqueued yet'),
  ]);
});

describe('a large event over a slow line, without a journal', () => {
  it('is in Redis once, and costs the small ones beside it nothing', async () => {
    const intake = await started();
    line.limit(RATE);
    let isTaken = false;
    const answer = intake.accept(anEvent(LARGE)).then(() => (isTaken = true));
    const small = await besideSmallOnes(intake, () => isTaken);
    await answer;
    await expectQueuedOnce(['large', ...small]);
    expect(reportsOf(intake)).toEqual(NEVER_AWAY);
  });

  it('is refused when its connection is cut in the middle, and in Redis once when it is sent again', async () => {
    const intake = await started();
    line.limit(RATE);
    line.cutAfter(4 * MEBIBYTE);
    let isTaken = false;
    const refused = intake.accept(anEvent(LARGE)).catch(async (error: unknown) => {
      await intake.accept(anEvent(LARGE));
      isTaken = true;
      return error;
    });
    const small = await besideSmallOnes(intake, () => isTaken);
    expect(String(await refused)).toContain('Redis did not take the job');
    await expectQueuedOnce(['large', ...small]);
    expect(reportsOf(intake)).toEqual(NEVER_AWAY);
  });
});
