import { join } from 'node:path';
import { createJournal, type Journal } from '@landline/journal';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import type { PostgresLoss } from '../src/loss-watch-state.ts';
import { openPostgresBeats, type PostgresBeats } from '@landline/queue';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(() => redis.remove());

interface Receiver {
  journal: Journal;
  intake: TestIntake;
  losses: PostgresLoss[];
  /** Ends it in order. */
  close: () => Promise<void>;
}

async function aReceiver(dir: string): Promise<Receiver> {
  const journal = createJournal({ dir, limitBytes: 1024 ** 3, retentionHours: 24 });
  await journal.open();
  const losses: PostgresLoss[] = [];
  const intake = anIntake({
    redisUrl: redis.url,
    journal,
    onPostgresLoss: (loss: PostgresLoss) => void losses.push(loss),
  });
  await intake.start();
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= intake.close().then(() => journal.close()));
  onTestFinished(close);
  return { journal, intake, losses, close };
}

/** What Redis remembers for a worker, connected. */
async function beatsOf(): Promise<PostgresBeats> {
  const beats = openPostgresBeats({ redisUrl: redis.url });
  onTestFinished(() => beats.close());
  await beats.takeTurn();
  return beats;
}

const keys = async (pattern: string) => z.array(z.string()).parse(await redis.run(['KEYS', pattern]));

/** How many jobs lie in the queue; a worker that has done them takes them off. */
const jobs = async () => Number(await redis.run(['LLEN', '{landline}:webhook-events:wait']));
const workOff = async () => redis.run(['DEL', ...(await keys('{landline}:webhook-events:*'))]);

/** The newest beat of each process. */
const readBeats = async () =>
  Promise.all((await keys('{landline}:beat:*')).map(async (key) => Number(await redis.run(['GET', key]))));

/** Two beats of some process that lives. */
async function untilBeaten(): Promise<void> {
  await waitUntil(async () => (await readBeats()).length > 0);
  for (let i = 0; i < 2; i++) {
    const before = Math.max(...(await readBeats()));
    await waitUntil(async () => Math.max(...(await readBeats())) > before);
  }
}

async function take({ intake }: Receiver, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await intake.accept(anEvent(`event ${i}`));
}

describe('a request to redo what Postgres lost', () => {
  it('is done once by a receiver that lives, and the same loss is not asked for again', async () => {
    const receiver = await aReceiver(join(await makeTempFolder(), 'journal'));
    await untilBeaten();
    await take(receiver, 5);
    await workOff();
    const beats = await beatsOf();
    const loss = { loss: 'first', sinceMs: Date.now() - 1000 };
    await beats.requestRedo(loss);
    await waitUntil(async () => (await jobs()) > 0);
    await waitUntil(() => receiver.journal.stats().pendingRecords === 0);
    // The loss is told of once all is marked, and the first records may be enqueued before.
    await waitUntil(() => receiver.losses.length > 0);
    expect(receiver.losses).toEqual([{ sinceMs: loss.sinceMs, journalSinceMs: expect.any(Number) }]);

    await workOff();
    await beats.requestRedo(loss);
    await untilBeaten();
    expect(await jobs()).toBe(0);
    expect(receiver.losses).toHaveLength(1);

    await beats.requestRedo({ ...loss, loss: 'second' });
    await waitUntil(async () => (await jobs()) > 0);
  });

  it('that came while its receiver was away is done by the heir, once', async () => {
    const dir = join(await makeTempFolder(), 'journal');
    const first = await aReceiver(dir);
    await untilBeaten();
    await take(first, 5);
    await first.close();
    await workOff();
    await (await beatsOf()).requestRedo({ loss: 'meanwhile', sinceMs: 0 });

    const heir = await aReceiver(dir);
    await waitUntil(async () => (await jobs()) > 0);
    await waitUntil(() => heir.journal.stats().pendingRecords === 0);
    await untilBeaten();
    await workOff();
    await heir.close();
    const next = await aReceiver(dir);
    await untilBeaten();
    await waitUntil(() => next.journal.inherited().length === 0);
    expect(next.journal.stats().pendingRecords).toBe(0);
    expect(await jobs()).toBe(0);
  });

  it('that is older than a receiver asks nothing of it', async () => {
    await (await beatsOf()).requestRedo({ loss: 'long ago', sinceMs: 0 });
    const receiver = await aReceiver(join(await makeTempFolder(), 'journal'));
    await untilBeaten();
    await take(receiver, 5);
    await workOff();
    await untilBeaten();
    expect(await jobs()).toBe(0);
    expect(receiver.losses).toEqual([]);
  });
});
