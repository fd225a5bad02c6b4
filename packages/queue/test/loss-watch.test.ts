import { expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createProducerConnection, endConnection } from '../src/connection.ts';
import { watchLoss } from '../src/loss-watch.ts';
import { ownPrefix } from './support/an-event.ts';

const OLD = 1_767_225_600_000;
const noteSchema = z.object({ oldest: z.number() });

/** Looks at the oldest job as often as there are `answers`, each beside five beats, and answers the bound noted after each. */
async function boundsAfter(answers: number[]): Promise<number[]> {
  const connection = createProducerConnection(inject('redisUrl'), { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  const left = [...answers];
  const bounds: number[] = [];
  let noted = NaN;
  const watch = watchLoss({
    connection,
    prefix: ownPrefix(),
    journal: {
      redo: () => Promise.resolve(),
      keepNote: (note) => (noted = noteSchema.parse(note).oldest),
      inherited: () => [],
      now: () => Date.now(),
      oldestAt: () => undefined,
      forget: () => undefined,
    },
    isReady: () => true,
    oldestJobAt: () => Promise.resolve(left.shift()),
    onLoss: () => undefined,
    onPostgresLoss: () => undefined,
  });
  for (let open = left.length; open > 0; open = left.length) {
    // oxlint-disable-next-line no-await-in-loop -- one beat after the other
    while (left.length === open) await watch.look();
    bounds.push(noted);
  }
  await watch.close();
  return bounds;
}

it('keeps the older of the last two looks as the bound, for one look alone may miss a job', async () => {
  const begun = Date.now();
  const [first, missed, found, gone, ...rest] = await boundsAfter([OLD, Infinity, OLD + 1, Infinity, Infinity]);
  expect([first, missed, found, gone]).toEqual([OLD, OLD, OLD + 1, OLD + 1]);
  expect(rest).toEqual([expect.toSatisfy((bound: number) => bound >= begun)]);
});
