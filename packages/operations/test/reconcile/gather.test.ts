import type { Provider } from '@landline/provider';
import { expect, test } from 'vitest';
import { makeConversation } from '../../../../test/support/provider/conversation.ts';
import { gather } from '../../src/reconcile/gather.ts';
import { aComparison } from './a-comparison.ts';

/** Each item weighs what it says. */
const weigh = (item: number) => item;

test('what was gathered is handed on soon, and what is left at the end', async () => {
  const groups: number[][] = [];
  const options = { weigh, mostWeight: 100, waitMs: 20 };
  const gathering = gather<number>(async (items) => void groups.push(items), options);
  await gathering.add(1);
  await gathering.add(2);
  await expect.poll(() => groups, { timeout: 20_000 }).toEqual([[1, 2]]);
  await gathering.add(3);
  await gathering.flush();
  await gathering.add(4);
  await gathering.flush();
  expect(groups).toEqual([[1, 2], [3], [4]]);
});

test('a group weighs no more than it may, also where handing on is slower than the next one, and whoever adds too much waits', async () => {
  const groups: number[][] = [];
  const ends: (() => void)[] = [];
  const handOn = async (items: number[]) => {
    groups.push(items);
    await new Promise<void>((resolve) => ends.push(resolve));
  };
  const gathering = gather<number>(handOn, { weigh, mostWeight: 10, waitMs: 60_000 });
  await gathering.add(6);
  let isThrough = false;
  const full = gathering.add(7).then(() => (isThrough = true));
  await expect.poll(() => groups, { timeout: 20_000 }).toEqual([[6]]);
  // What comes meanwhile counts as well.
  await gathering.add(2);
  const more = [gathering.add(3), gathering.add(40), gathering.flush()];
  expect(isThrough).toBe(false);
  for (const count of [2, 3, 4]) {
    ends.shift()?.();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect.poll(() => groups.length, { timeout: 20_000 }).toBe(count);
  }
  ends.shift()?.();
  await Promise.all([full, ...more]);
  expect(groups).toEqual([[6], [7, 2], [3], [40]]);
});

test('where handing on fails, whoever adds next and the end say so, and nothing is handed on any more', async () => {
  let asked = 0;
  const handOn = () => Promise.reject(new Error(`It failed ${++asked}.`));
  const gathering = gather<number>(handOn, { weigh, mostWeight: 10, waitMs: 0 });
  await gathering.add(1);
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(1);
  await expect(gathering.add(2)).rejects.toThrow('It failed 1.');
  await expect(gathering.flush()).rejects.toThrow('It failed 1.');
  expect(asked).toBe(1);
});

test('where no more can be handed on, nobody is asked further, and what was handed on before is judged in this run', async () => {
  const said = ['x'.repeat(600 * 1024)];
  const calls = Array.from({ length: 10 }, (_, i) => makeConversation({ id: `call_${i}`, said, hasAudio: false }));
  const line = await aComparison(calls);
  let jobs = 0;
  line.worker.onJob = () => {
    jobs += 1;
    if (jobs > 1) throw new Error('This job is not taken.');
  };
  expect(await line.run()).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('This job is not taken.'),
  });
  const found = Object.values(await line.completeness());
  expect(found.filter((one) => one === 'complete')).toHaveLength(1);
  expect(found.filter((one) => one === 'missing')).toHaveLength(9);
  expect(line.asked().length).toBeLessThan(6);
  expect(jobs).toBe(2);
  line.worker.onJob = undefined;
  expect(await line.run()).toMatchObject({ status: 'done', total: 9, done: 9 });
}, 60_000);

test('a call whose answer takes long does not hold back the others', async () => {
  const line = await aComparison(['a', 'b', 'slow'].map((id) => makeConversation({ id, hasAudio: false })));
  const others = new Promise<void>((resolve) => (line.worker.onJob = () => resolve()));
  const slow: Provider['conversation'] = async (id, signal) => {
    // Its answer comes once the others are in the queue.
    if (id === 'slow') await others;
    return line.client.conversation(id, signal);
  };
  Object.assign(line.ports, { provider: { ...line.client, conversation: slow } });
  expect(await line.run()).toMatchObject({ status: 'done', total: 3, done: 3 });
  expect(await line.completeness()).toEqual({ a: 'complete', b: 'complete', slow: 'complete' });
}, 60_000);
