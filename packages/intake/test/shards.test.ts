import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createJournal, type Journal } from '@landline/journal';
import { openAllQueues } from '@landline/queue';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { jobSchema } from '../../queue/test/support/job-schema.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';

let servers: PrivateRedis[];
let redisUrl: string;
beforeEach(async () => {
  servers = await Promise.all([startPrivateRedis(), startPrivateRedis(), startPrivateRedis()]);
  redisUrl = servers.map(({ url }) => url).join(',');
});
afterEach(async () => void (await Promise.all(servers.map((server) => server.remove()))));

const serverAt = (shard: number) => servers[shard] ?? expect.fail(`there is no server ${shard}`);

async function aJournal(dir?: string): Promise<Journal> {
  const journal = createJournal({
    dir: dir ?? join(await makeTempFolder(), 'journal'),
    limitBytes: 1024 ** 3,
    retentionHours: 24,
  });
  await journal.open();
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= journal.close());
  onTestFinished(close);
  return { ...journal, close };
}

/** The bodies that lie in the queue of each shard that answers. */
async function queued(): Promise<string[][]> {
  const queues = openAllQueues({ redisUrl });
  try {
    return await Promise.all(
      queues.shards().map(async ({ events, ping }) => {
        const isThere = await ping().then(
          () => true,
          () => false,
        );
        const jobs = isThere ? await events.getWaiting(0, 100_000) : [];
        return jobs.flatMap((job) => jobSchema.parse(job.data).events.map(({ body }) => body));
      }),
    );
  } finally {
    await queues.close();
  }
}

/** Has 8 senders send one event after the other while `during` runs. Returns the bodies of those that were taken and refused. */
async function sendWhile(intake: TestIntake, during: () => Promise<void>) {
  const taken: string[] = [];
  const refused: string[] = [];
  const over = new AbortController();
  const send = async (sender: number): Promise<void> => {
    for (let i = 0; !over.signal.aborted; i++) {
      const body = `${sender} ${i}`;
      // oxlint-disable no-await-in-loop -- one event after the other
      await intake.accept(anEvent(body)).then(
        () => taken.push(body),
        (error: unknown) => refused.push(`${body}: ${String(error)}`),
      );
      // Who is refused at once would keep the event loop from ever turning.
      await turn();
      // oxlint-enable no-await-in-loop
    }
  };
  const senders = Array.from({ length: 8 }, (_, sender) => send(sender));
  try {
    await during();
  } finally {
    over.abort();
    await Promise.all(senders);
  }
  return { taken, refused };
}

/** Waits until the intake has enqueued so many groups more. */
async function groupsMore(intake: TestIntake, groups = 200): Promise<void> {
  const before = intake.stats().groups;
  await waitUntil(() => intake.stats().groups >= before + groups);
}

describe('an intake with several servers', () => {
  it('spreads groups over all of them', async () => {
    const intake = anIntake({ redisUrl });
    await intake.start();
    for (let i = 0; i < 30; i++) {
      // oxlint-disable-next-line no-await-in-loop -- each a group of its own
      await intake.accept(anEvent(`event ${i}`));
    }
    expect((await queued()).map((bodies) => bodies.length)).toEqual([10, 10, 10]);
  });

  it.each([
    ['kill', 20_000],
    // What is under way there waits for so long. Then it has as long for another one, which a machine that stalls needs.
    ['freeze', 3000],
  ] as const)(
    'takes every event without a journal while one is gone (%s), and says which',
    async (how, enqueueTimeoutMs) => {
      const intake = anIntake({ redisUrl, enqueueTimeoutMs });
      await intake.start();
      const { taken, refused } = await sendWhile(intake, async () => {
        await groupsMore(intake);
        await serverAt(1)[how]();
        await groupsMore(intake);
        await waitUntil(() => intake.warnings.some((warning) => warning.includes('shard 1 of 3')));
        await groupsMore(intake);
      });
      expect(refused).toEqual([]);
      expect(intake.errors).toEqual([]);
      expect(intake.status()).toBe('ready');
      if (how === 'kill') await serverAt(1).restart();
      else serverAt(1).thaw();
      await waitUntil(() => intake.warnings.some((warning) => warning.endsWith('takes events again')));
      const there = (await queued()).flat();
      expect(taken.filter((body) => !there.includes(body))).toEqual([]);
    },
  );

  it('takes every event while one is full', async () => {
    const intake = anIntake({ redisUrl });
    await intake.start();
    const { refused } = await sendWhile(intake, async () => {
      await groupsMore(intake);
      await serverAt(2).run(['CONFIG', 'SET', 'maxmemory', '1mb']);
      await waitUntil(() => intake.warnings.some((warning) => warning.includes('shard 2 of 3')));
      await groupsMore(intake);
    });
    expect(refused).toEqual([]);
  });

  it('refuses events only when the last one is gone, and says so', async () => {
    const intake = anIntake({ redisUrl });
    await intake.start();
    for (const server of servers) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await server.kill();
    }
    await waitUntil(() => intake.errors.some(({ message }) => message.includes('as the last of them')));
    await expect(intake.accept(anEvent())).rejects.toThrow('Redis is away');
    expect(intake.returns()).toBe(0);
    await serverAt(2).restart();
    await waitUntil(() => intake.returns() === 1);
    await intake.accept(anEvent());
  });

  it('enqueues from the journal what one has lost, to any that is healthy', async () => {
    const intake = anIntake({ redisUrl, journal: await aJournal() });
    await intake.start();
    const all = Array.from({ length: 300 }, (_, i) => `event ${i}`);
    for (const body of all) {
      // oxlint-disable-next-line no-await-in-loop -- each a group of its own
      await intake.accept(anEvent(body));
    }
    await serverAt(0).run(['FLUSHALL']);
    await waitUntil(async () => {
      const there = new Set((await queued()).flat());
      return all.every((body) => there.has(body));
    });
    // It is told of once all is marked, and the first records may be enqueued before.
    await waitUntil(() => intake.stats().redisLosses > 0);
    expect(intake.stats().redisLosses).toBe(1);
  });

  it('takes over the journal of a process with another number of shards, and enqueues what was open', async () => {
    const dir = join(await makeTempFolder(), 'journal');
    const first = await aJournal(dir);
    const before = anIntake({ redisUrl: serverAt(0).url, journal: first });
    await before.start();
    await before.accept(anEvent('open'));
    await before.close();
    await first.close();
    await serverAt(0).run(['FLUSHALL']);
    const intake = anIntake({ redisUrl, journal: await aJournal(dir) });
    await intake.start();
    await waitUntil(async () => (await queued()).flat().length > 0);
    expect((await queued()).flat()).toEqual(['open']);
  });

  it('does not enqueue again what others took before it was reached', async () => {
    await serverAt(0).kill();
    const intake = anIntake({ redisUrl, journal: await aJournal() });
    await intake.start();
    const all = Array.from({ length: 40 }, (_, i) => `event ${i}`);
    for (const body of all) {
      // oxlint-disable-next-line no-await-in-loop -- each a group of its own
      await intake.accept(anEvent(body));
    }
    await serverAt(0).restart();
    await waitUntil(() => intake.warnings.some((warning) => warning.endsWith('takes events again')));
    // The first beat of that shard, and the second.
    const beat = async () => {
      const [key] = z.array(z.string()).parse(await serverAt(0).run(['KEYS', '*:beat:*']));
      return key === undefined ? 0 : Number(await serverAt(0).run(['GET', key]));
    };
    await waitUntil(async () => (await beat()) > 0);
    const first = await beat();
    await waitUntil(async () => (await beat()) > first);
    expect((await queued()).flat().toSorted()).toEqual(all.toSorted());
    expect(intake.stats().reenqueuedRecords).toBe(0);
  });
});
