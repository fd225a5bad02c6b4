import { expect, inject, it } from 'vitest';
import { z } from 'zod';
import { watchLoss } from '../src/loss-watch.ts';
import { aShard } from '../../queue/test/support/a-shard.ts';
import { ownPrefix } from '../../queue/test/support/an-event.ts';

const OLD = 1_767_225_600_000;
const noteSchema = z.object({ oldest: z.number() });

/** Searches for the oldest job once for each of `answers`, every five beats, and returns the bound that is noted after each. */
async function boundsAfter(answers: number[]): Promise<number[]> {
  const shard = await aShard({ redisUrl: inject('redisUrl'), prefix: ownPrefix() });
  const left = [...answers];
  const bounds: number[] = [];
  let noted = NaN;
  const watch = watchLoss({
    beats: { ...shard.beats, oldestJobAt: () => Promise.resolve(left.shift()) },
    journal: {
      redo: () => Promise.resolve(),
      keepNote: (note) => (noted = noteSchema.parse(note).oldest),
      inherited: () => [],
      now: () => Date.now(),
      oldestAt: () => undefined,
      forget: () => undefined,
    },
    isReady: () => true,
    onLoss: () => undefined,
    onPostgresLoss: () => undefined,
  });
  for (let open = left.length; open > 0; open = left.length) {
    // oxlint-disable-next-line no-await-in-loop -- one beat after the other
    while (left.length === open) await watch.check();
    bounds.push(noted);
  }
  await watch.close();
  return bounds;
}

it('keeps the older of the last two findings as the bound, for one alone may miss a job', async () => {
  const begun = Date.now();
  const [first, missed, found, gone, ...rest] = await boundsAfter([OLD, Infinity, OLD + 1, Infinity, Infinity]);
  expect([first, missed, found, gone]).toEqual([OLD, OLD, OLD + 1, OLD + 1]);
  expect(rest).toEqual([expect.toSatisfy((bound: number) => bound >= begun)]);
});

it('notices a loss between reading the last beat and leaving the next one', async () => {
  let kept: number | undefined;
  let isEmptiedNext = false;
  const losses: number[] = [];
  const watch = watchLoss({
    beats: {
      keyPrefix: 'beat:',
      identity: () => Promise.resolve('the same Redis'),
      read: () => Promise.resolve(kept),
      leave: (_key, at) => {
        const before = isEmptiedNext ? undefined : kept;
        kept = at;
        return Promise.resolve(before);
      },
      oldestJobAt: () => Promise.resolve(OLD),
      redoRequests: () => Promise.resolve([]),
    },
    journal: {
      redo: () => Promise.resolve(),
      keepNote: () => undefined,
      inherited: () => [],
      now: () => Date.now(),
      oldestAt: () => undefined,
      forget: () => undefined,
    },
    isReady: () => true,
    onLoss: (sinceMs) => losses.push(sinceMs),
    onPostgresLoss: () => undefined,
  });
  await watch.check();
  await watch.check();
  expect(losses).toEqual([]);
  isEmptiedNext = true;
  await watch.check();
  // A minute before the oldest job that was not done.
  expect(losses).toEqual([OLD - 60_000]);
  isEmptiedNext = false;
  await watch.close();
});
