import { createJournal } from '@landline/journal';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';
import { startKeepingUp } from '../src/keep-up.ts';

/** Keeps up with a journal that holds one group, and with a Redis that answers no beat before `answer` is called. */
async function aKeepUp() {
  const journal = createJournal({ dir: await makeTempFolder(), limitBytes: 1024 ** 3, retentionHours: 24 });
  await journal.open();
  (await journal.append([anEvent('pending')])).failed();
  const asked = { beats: 0, writer: 0 };
  const written: string[] = [];
  let answer!: () => void;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const keepUp = startKeepingUp({
    shards: [
      {
        writtenSince: undefined,
        shard: {
          status: () => 'ready',
          beats: {
            keyPrefix: 'beat:',
            identity: () => answered.then(() => 'one Redis'),
            read: () => Promise.resolve(undefined),
            leave: () => Promise.resolve(undefined),
            oldestJobAt: () => Promise.resolve(undefined),
            redoRequests() {
              asked.beats += 1;
              return Promise.resolve([]);
            },
          },
          catchUp: {
            isReachable() {
              asked.writer += 1;
              return Promise.resolve(true);
            },
            write: ({ events }) => Promise.resolve(void written.push(...events.map(({ body }) => body))),
            writeNew: () => Promise.resolve(),
            close: () => Promise.resolve(),
          },
        },
      },
    ],
    journal,
    maxEvents: 100,
    maxBytes: 1024 ** 2,
    timeoutMs: 20_000,
    onWarning: () => undefined,
    onLoss: () => undefined,
    onPostgresLoss: () => undefined,
  });
  onTestFinished(async () => {
    answer();
    await keepUp.close();
    await journal.close();
  });
  return { keepUp, asked, written, answer: () => answer() };
}

it('enqueues nothing of the journal before the first beat, and all of it afterwards', async () => {
  const { keepUp, asked, written, answer } = await aKeepUp();
  const checked = keepUp.firstCheck();
  keepUp.wake();
  expect([asked.writer, written]).toEqual([0, []]);
  answer();
  await checked;
  await waitUntil(() => written.length > 0);
  expect(written).toEqual(['pending']);
});

it('checks at once what a Redis lacks that is back', async () => {
  const { keepUp, asked, answer } = await aKeepUp();
  answer();
  await keepUp.firstCheck();
  const before = asked.beats;
  keepUp.redisIsBack(0);
  expect(asked.beats).toBe(before + 1);
});
