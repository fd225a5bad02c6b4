import { expect, test } from 'vitest';
import { createAppState } from '../src/start/app-state.ts';

/** Makes the state of a worker, and keeps the lines that it prints. */
function startState() {
  const printed: string[] = [];
  const leaving = new AbortController();
  const state = createAppState('The worker', (line) => printed.push(line), leaving.signal);
  return { state, printed, leave: () => leaving.abort() };
}

test('an app that starts is not up, and has not been reported', () => {
  const { state, printed, leave } = startState();
  expect([state.fault(), state.hasBeenUp(), state.isReported()]).toEqual(['It is starting.', false, false]);
  state.noteWaiting('It is not ready: 503.');
  expect([state.fault(), state.hasBeenUp(), state.isReported()]).toEqual(['It is not ready: 503.', false, false]);
  expect(printed).toEqual([]);
  leave();
});

test('an app that comes up without a report is up in silence', async () => {
  const { state, printed } = startState();
  state.noteUp();
  await state.settled;
  expect([state.fault(), state.hasBeenUp(), state.isReported()]).toEqual([undefined, true, false]);
  expect(printed).toEqual([]);
});

test.each([
  ['ended', ({ noteDown }: ReturnType<typeof createAppState>) => noteDown('It ended (code 1).')],
  ['was reported as not up', ({ noteReported }: ReturnType<typeof createAppState>) => noteReported()],
])('prints once that an app is up that %s', (_, report) => {
  const { state, printed, leave } = startState();
  report(state);
  expect(state.isReported()).toBe(true);
  state.noteUp();
  state.noteUp();
  expect(printed).toEqual(['The worker is up.']);
  expect(state.isReported()).toBe(false);
  leave();
});

test('keeps that an app has been up, also after its end', async () => {
  const { state } = startState();
  state.noteUp();
  state.noteDown('It ended (SIGKILL).');
  await state.settled;
  expect([state.fault(), state.hasBeenUp()]).toEqual(['It ended (SIGKILL).', true]);
});

test('settles when an app is down, and when everything is to be stopped', async () => {
  const down = startState();
  down.state.noteDown('It ended (code 1).');
  await down.state.settled;
  const { state, leave } = startState();
  state.noteWaiting('It is not ready.');
  leave();
  await state.settled;
  expect(state.fault()).toBe('It is not ready.');
});
