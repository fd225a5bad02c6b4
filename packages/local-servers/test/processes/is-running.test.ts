import { expect, test } from 'vitest';
import { isRunning } from '../../src/processes/is-running.ts';
import { startStranger } from '../support/start-stranger.ts';

test('this process and its parent run', () => {
  expect(isRunning(process.pid)).toBe(true);
  expect(isRunning(process.ppid)).toBe(true);
});

test('a process of another user runs', () => {
  expect(isRunning(1)).toBe(true);
});

test('a process runs until it has ended, and no process has a number that Linux never gives', async () => {
  const stranger = await startStranger();
  expect(isRunning(stranger.pid)).toBe(true);
  stranger.kill('SIGKILL');
  await stranger.exited;
  expect(isRunning(stranger.pid)).toBe(false);
  expect(isRunning(2 ** 30)).toBe(false);
});
