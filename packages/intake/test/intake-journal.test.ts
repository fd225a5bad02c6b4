import { randomBytes } from 'node:crypto';
import { createJournal, type Journal, type JournalOptions } from '@landline/journal';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { QueueUnavailableError } from '@landline/queue';
import { jobSchema } from '../../queue/test/support/job-schema.ts';
import { openQueues } from '@landline/queue';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';

/** Each event that waited for a frozen Redis by itself would take so long. */
const FROZEN_MS = 1000;

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(() => redis.remove());

async function aJournal(options: Partial<JournalOptions> = {}): Promise<Journal & { dir: string }> {
  const dir = options.dir ?? join(await makeTempFolder(), 'journal');
  const journal = createJournal({ limitBytes: 1024 ** 3, retentionHours: 24, ...options, dir });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= journal.close());
  onTestFinished(close);
  await journal.open();
  return { ...journal, close, dir };
}

async function started(journal: Journal, options: object = {}): Promise<TestIntake> {
  const intake = anIntake({ redisUrl: redis.url, journal, ...options });
  await intake.start();
  return intake;
}

/** Enqueues an event for each body; all must be taken. */
async function take(intake: TestIntake, all: string[]): Promise<void> {
  await Promise.all(all.map((body) => intake.accept(anEvent(body))));
}

/** The bodies of all events that lie in the queue, oldest first. */
async function queued(): Promise<string[]> {
  const queues = openQueues({ redisUrl: redis.url });
  try {
    await queues.ping();
    const jobs = await queues.events.getWaiting(0, 100_000);
    return jobs.flatMap((job) => jobSchema.parse(job.data).events.map(({ body }) => body));
  } finally {
    await queues.close();
  }
}

function bodies(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

async function untilQueued(wanted: string[]): Promise<void> {
  await waitUntil(async () => (await queued()).length >= wanted.length);
  expect(await queued()).toEqual(wanted);
}

describe('an intake with a journal, whose Redis', () => {
  it('is well, keeps every group in both, and enqueues nothing twice', async () => {
    const journal = await aJournal();
    const intake = await started(journal);
    await take(intake, bodies(500, 'event'));
    // Long enough for several checks of what Redis has.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await queued()).toEqual(bodies(500, 'event'));
    expect(intake.stats()).toMatchObject({ journalledEvents: 500, reenqueuedRecords: 0, redisLosses: 0 });
    expect(journal.stats()).toMatchObject({ pendingRecords: 0 });
  });

  it('is down takes every event, and enqueues them oldest first when it is back', async () => {
    await redis.kill();
    const journal = await aJournal();
    const intake = await started(journal);
    expect([intake.status(), intake.canTake()]).toEqual(['away', true]);
    const early = bodies(100, 'early');
    for (const body of early) await intake.accept(anEvent(body));
    // The answer comes just before the journal learns that Redis lacks the group.
    await waitUntil(() => journal.stats().pendingRecords === 100);
    await redis.restart();
    await untilQueued(early);
    await take(intake, ['late']);
    await waitUntil(() => journal.stats().pendingRecords === 0);
    expect(await queued()).toEqual([...early, 'late']);
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['is killed', () => redis.kill(), () => redis.restart()],
    [
      'is out of memory',
      () => redis.run(['CONFIG', 'SET', 'maxmemory', '1']),
      () => redis.run(['CONFIG', 'SET', 'maxmemory', '0']),
    ],
    ['is a replica', () => redis.run(['REPLICAOF', '127.0.0.1', '1']), () => redis.run(['REPLICAOF', 'NO', 'ONE'])],
  ])('%s takes every event all the same', async (_name, breakIt, mendIt) => {
    const intake = await started(await aJournal());
    await take(intake, bodies(20, 'before'));
    await breakIt();
    await take(intake, bodies(200, 'during'));
    await mendIt();
    await waitUntil(() => intake.status() === 'ready');
    await take(intake, bodies(20, 'after'));
    const all = [...bodies(20, 'before'), ...bodies(200, 'during'), ...bodies(20, 'after')];
    expect(await untilAllQueued(all)).toEqual(all.sort());
  });

  it('may evict what it holds is not written to, and starts nothing from failing', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '100mb']);
    const intake = await started(await aJournal());
    expect([intake.status(), intake.canTake()]).toEqual(['refused', true]);
    expect(intake.errors[0]?.message).toContain('maxmemory-policy noeviction');
    await take(intake, bodies(20, 'event'));
    expect(await queued()).toEqual([]);
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    expect(await untilAllQueued(bodies(20, 'event'))).toEqual(bodies(20, 'event').sort());
  });

  it('has room for a part only of what waits in the journal, is not filled by it', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory', '1']);
    const journal = await aJournal();
    const intake = await started(journal);
    await take(
      intake,
      Array.from({ length: 40 }, (_, i) => `${i} `.padEnd(1_000_000, 'x')),
    );
    const maxBytes = (await usedBytes()) + 24 * 1024 ** 2;
    await redis.run(['CONFIG', 'SET', 'maxmemory', String(maxBytes)]);
    await waitUntil(() => intake.errors.some(({ message }) => message.includes('nearly full')));
    expect(await usedBytes()).toBeLessThan(maxBytes);
    expect(journal.stats().pendingRecords).toBeGreaterThan(0);
    // The workers' scripts need that much.
    await redis.run(['SET', 'still', 'taken']);
  });

  it('is frozen costs one time-out, not one for every event', async () => {
    const intake = await started(await aJournal(), { enqueueTimeoutMs: FROZEN_MS });
    await take(intake, ['before']);
    redis.freeze();
    const during = bodies(50, 'during');
    const begun = performance.now();
    for (const body of during) await intake.accept(anEvent(body));
    const took = performance.now() - begun;
    redis.thaw();
    // Each waiting for itself would take fifty.
    expect(took).toBeLessThan((during.length / 2) * FROZEN_MS);
    const all = ['before', ...during];
    expect(await untilAllQueued(all)).toEqual(all.sort());
  });

  it('is away, and comes back while thousands wait, takes new ones meanwhile', async () => {
    await redis.kill();
    const intake = await started(await aJournal(), { batchMaxEvents: 20 });
    const waiting = bodies(2000, 'waiting');
    for (let i = 0; i < waiting.length; i += 20) await take(intake, waiting.slice(i, i + 20));
    await redis.restart();
    await waitUntil(() => intake.status() === 'ready');
    await take(intake, ['new']);
    const all = [...waiting, 'new'];
    expect(await untilAllQueued(all)).toEqual(all.sort());
  });
});

describe('an intake with a journal that fails', () => {
  it('takes events with Redis alone, and says that it can', async () => {
    const dir = join(await makeTempFolder(), 'journal');
    await writeFile(dir, 'in the way');
    const journal = await aJournal({ dir });
    const intake = await started(journal);
    await take(intake, bodies(50, 'event'));
    expect(await queued()).toEqual(bodies(50, 'event'));
    expect(intake.canTake()).toBe(true);
    expect(intake.stats().journalErrors).toBeGreaterThan(0);
    await redis.kill();
    await waitUntil(() => intake.status() === 'away');
    expect(intake.canTake()).toBe(false);
    await expect(intake.accept(anEvent())).rejects.toThrow(QueueUnavailableError);
    await rm(dir);
    await waitUntil(() => intake.canTake());
    await take(intake, ['again']);
  });

  it('because it is full rejects while Redis is away, and takes again when Redis has taken what was there', async () => {
    const journal = await aJournal({ limitBytes: 1024 ** 2 });
    const intake = await started(journal);
    await redis.kill();
    await waitUntil(() => intake.status() === 'away');
    const kept: string[] = [];
    await expect(
      (async () => {
        for (let i = 0; i < 200; i++) {
          // Text that does not get smaller when it is packed.
          const body = `${i} ${randomBytes(15_000).toString('base64')}`;
          await intake.accept(anEvent(body));
          kept.push(body);
        }
      })(),
    ).rejects.toThrow(QueueUnavailableError);
    expect(kept.length).toBeGreaterThan(20);
    expect(intake.canTake()).toBe(false);
    await redis.restart();
    expect(await untilAllQueued(kept)).toEqual([...kept].sort());
    await waitUntil(() => journal.status() === 'ready');
    await take(intake, ['again']);
  });
});

describe('a Redis that loses what it took', () => {
  it.each<[string, string]>([
    ['emptied', 'FLUSHALL'],
    ['emptied of this database', 'FLUSHDB'],
  ])('%s is given everything again that was not done', async (_name, command) => {
    const losses: number[] = [];
    const intake = await started(await aJournal(), { onLoss: (since: number) => losses.push(since) });
    const lost = bodies(300, 'lost');
    await take(intake, lost);
    await untilBeaten();
    await redis.run([command]);
    const all = lost;
    expect(await untilAllQueued(all)).toEqual(all.sort());
    // It is told of once all is marked, and the first records may be enqueued before.
    await waitUntil(() => losses.length > 0);
    expect(losses).toHaveLength(1);
    expect(intake.stats().redisLosses).toBe(1);
  });

  it('is given everything again once, and not at every beat', async () => {
    const losses: number[] = [];
    const intake = await started(await aJournal(), { onLoss: (since: number) => losses.push(since) });
    await take(intake, bodies(30, 'lost'));
    await untilBeaten();
    await redis.run(['FLUSHALL']);
    await waitUntil(() => losses.length > 0);
    // Two beats later it would have been found again.
    await untilBeaten();
    const beat = async () => Number(await redis.run(['GET', await beatKey()]));
    const first = await beat();
    await waitUntil(async () => (await beat()) > first);
    const second = await beat();
    await waitUntil(async () => (await beat()) > second);
    expect(losses).toHaveLength(1);
  });

  it('and the process that saw it dies as well, is given everything again by the next', async () => {
    const journal = await aJournal();
    const intake = await started(journal);
    await take(intake, bodies(30, 'lost'));
    await untilBeaten();
    await intake.close();
    await journal.close();
    await redis.run(['FLUSHALL']);
    const heir = await aJournal({ dir: journal.dir });
    await started(heir);
    const all = bodies(30, 'lost');
    expect(await untilAllQueued(all)).toEqual(all.sort());
  });

  it('and nothing of it where a process ended in order, is given nothing again', async () => {
    const journal = await aJournal();
    const intake = await started(journal);
    await take(intake, bodies(30, 'event'));
    await intake.close();
    await journal.close();
    const heir = await aJournal({ dir: journal.dir });
    const next = await started(heir);
    await waitUntil(() => heir.inherited().length === 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await queued()).toEqual(bodies(30, 'event'));
    expect(next.stats().reenqueuedRecords).toBe(0);
  });

  it('that is older than it was is given again what came since', async () => {
    const losses: number[] = [];
    const intake = await started(await aJournal(), { onLoss: (since: number) => losses.push(since) });
    await take(intake, bodies(10, 'event'));
    await untilBeaten();
    const key = await beatKey();
    const old = Number(await redis.run(['GET', key]));
    await waitUntil(async () => Number(await redis.run(['GET', key])) > old);
    await redis.run(['DEL', 'gone', ...(await keys()).filter((name) => name !== key)]);
    await redis.run(['SET', key, String(old - 60_000)]);
    const all = bodies(10, 'event');
    expect(await untilAllQueued(all)).toEqual(all.sort());
    await waitUntil(() => losses.length > 0);
    expect(losses).toHaveLength(1);
    expect(losses[0]).toBeLessThan(old);
  });

  it('after the last beat, at a restart, is given again what came around it', async () => {
    const losses: number[] = [];
    const intake = await started(await aJournal(), { onLoss: (since: number) => losses.push(since) });
    await untilBeaten();
    await take(intake, bodies(10, 'event'));
    // As if its file had been cut behind the beat.
    await redis.run(['DEL', 'gone', ...(await keys()).filter((name) => !name.includes(':beat:'))]);
    await redis.kill();
    await redis.restart();
    const all = bodies(10, 'event');
    expect(await untilAllQueued(all)).toEqual(all.sort());
    expect(losses).toEqual([]);
  });
});

/** Waits until each of `wanted` is in the queue, and answers what is, each once: an event may be there twice where its fate was unknown. */
async function untilAllQueued(wanted: string[]): Promise<string[]> {
  await waitUntil(async () => {
    const found = new Set(await queued().catch(() => []));
    return wanted.every((body) => found.has(body));
  });
  return [...new Set(await queued())].sort();
}

async function usedBytes(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(String(await redis.run(['INFO', 'memory'])))?.[1]);
}

async function keys(): Promise<string[]> {
  return z.array(z.string()).parse(await redis.run(['KEYS', '*']));
}

async function beatKey(): Promise<string> {
  return (await keys()).find((name) => name.includes(':beat:')) ?? '';
}

async function untilBeaten(): Promise<void> {
  await waitUntil(async () => (await beatKey()) !== '');
  const first = await redis.run(['GET', await beatKey()]);
  await waitUntil(async () => (await redis.run(['GET', await beatKey()])) !== first);
}
