import { once } from 'node:events';
import type { RunningProcess } from '@landline/local-servers';
import { expect, test, vi } from 'vitest';
import { keepRunning } from '../src/start/keep-running.ts';

const PACE = { firstDelayMs: 5, maxDelayMs: 20, steadyMs: 60_000 };

/** Makes a stand-in for a process. It has ended with `how`; without `how` it never ends. */
function processThat(how?: string): RunningProcess & { stopped: () => boolean } {
  let stopped = false;
  const exited = how === undefined ? new Promise<string>(() => {}) : Promise.resolve(how);
  const stop = async () => {
    stopped = true;
  };
  return { pid: 1, exited, stop, stopped: () => stopped };
}

function failToStart(): never {
  throw new Error('port taken');
}

function watch(first: RunningProcess, later: (() => RunningProcess)[], pace = PACE) {
  const printed: string[] = [];
  const restart = () => {
    const next = later.shift();
    if (next === undefined) throw new Error('nothing left to start');
    return next();
  };
  const leaving = new AbortController();
  const print = (line: string) => void printed.push(line);
  const { stop } = keepRunning({
    name: 'The worker',
    first,
    restart,
    print,
    pace: () => pace,
    leaving: leaving.signal,
  });
  return { stop, printed, leave: () => leaving.abort() };
}

test('starts a process again when it ends or does not start, after growing pauses', async () => {
  const last = processThat();
  const later = [failToStart, () => processThat('SIGKILL'), () => processThat('code 2'), () => last];
  const { stop, printed } = watch(processThat('code 1'), later);
  await vi.waitUntil(() => later.length === 0, { timeout: 20_000 });
  await stop();
  expect(printed).toEqual([
    'The worker ended (code 1). Starting it again in 0.005 s.',
    'The worker did not start: port taken. Starting it again in 0.01 s.',
    'The worker ended (SIGKILL). Starting it again in 0.02 s.',
    'The worker ended (code 2). Starting it again in 0.02 s.',
  ]);
  expect(last.stopped()).toBe(true);
});

test('begins with the first pause again after the process has run for long enough', async () => {
  const later = [() => processThat('code 1'), () => processThat('code 1'), () => processThat()];
  const { stop, printed } = watch(processThat('code 1'), later, { ...PACE, steadyMs: -1 });
  await vi.waitUntil(() => later.length === 0, { timeout: 20_000 });
  await stop();
  expect(printed).toEqual(Array(3).fill('The worker ended (code 1). Starting it again in 0.005 s.'));
});

test('starts no process once it is stopped', async () => {
  const first = processThat();
  const later = [() => processThat()];
  const { stop, printed } = watch(first, later);
  await stop();
  await stop();
  expect(first.stopped()).toBe(true);
  expect(later).toHaveLength(1);
  expect(printed).toEqual([]);
});

test('starts no process and prints nothing once everything is to be stopped', async () => {
  const end = new AbortController();
  const exited = once(end.signal, 'abort').then(() => 'code 0');
  const later = [() => processThat()];
  const { stop, printed, leave } = watch({ ...processThat(), exited }, later);
  leave();
  end.abort();
  await stop();
  expect(later).toHaveLength(1);
  expect(printed).toEqual([]);
});

test('starts the first process as well, where none runs yet', async () => {
  const first = processThat();
  const later = [failToStart, () => first];
  const printed: string[] = [];
  const { stop } = keepRunning({
    name: 'The worker',
    restart: () => (later.shift() ?? failToStart)(),
    print: (line) => printed.push(line),
    pace: () => PACE,
  });
  await vi.waitUntil(() => later.length === 0, { timeout: 20_000 });
  await stop();
  expect(first.stopped()).toBe(true);
  expect(printed).toEqual(['The worker did not start: port taken. Starting it again in 0.005 s.']);
});
