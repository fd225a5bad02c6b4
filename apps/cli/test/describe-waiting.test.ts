import type { Operation } from '@landline/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { describeWaiting } from '../src/operations/describe-waiting.ts';

const planned: Operation = {
  id: 'mine',
  kind: 'replay',
  filter: {},
  status: 'planned',
  total: 5,
  done: 0,
  failed: 0,
  message: null,
  rate: null,
  checkpoint: null,
  requestedBy: null,
  createdAt: 0,
  startedAt: null,
  updatedAt: 0,
  finishedAt: null,
  cancelRequestedAt: null,
  fence: 0,
};
const other: Operation = { ...planned, id: '02fa9431-0000', status: 'running', startedAt: 1_000, updatedAt: 41_000 };

test('a worker that does not come is told once, and not while another operation has the turn', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  let running: Operation | undefined = other;
  const told: string[] = [];
  const store = { running: () => Promise.resolve(running) };
  const waiting = describeWaiting({ store, isShown: true, tell: (text) => told.push(text) });
  vi.advanceTimersByTime(60_000);
  expect(await waiting(planned)).toBe('Waits for the replay 02fa9431, running for 40 s.');
  // It runs by now, and was planned when it was read.
  running = { ...planned, status: 'running' };
  expect(await waiting(planned)).toBe('planned: 5 events');
  running = undefined;
  vi.advanceTimersByTime(29_000);
  expect(await waiting(planned)).toBe('planned: 5 events');
  expect(told).toEqual([]);
  vi.advanceTimersByTime(2_000);
  await waiting(planned);
  await waiting(planned);
  expect(told.splice(0)).toEqual(['No worker has begun yet: see that one runs.']);
  for (const kind of ['reconcile', 'fetch-conversation']) {
    const ofKey = describeWaiting({ store, isShown: true, tell: (text) => told.push(text) });
    vi.advanceTimersByTime(31_000);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await ofKey({ ...planned, kind });
    expect(told.splice(0)).toEqual(['No worker has begun yet: see that one with ELEVENLABS_API_KEY runs.']);
  }
});
