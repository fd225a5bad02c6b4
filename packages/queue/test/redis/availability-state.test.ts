import { beforeEach, expect, it } from 'vitest';
import {
  enter,
  leave,
  notReachedYet,
  reportReturn,
  type AvailabilityState,
} from '../../src/redis/availability-state.ts';

let calls: string[];
let state: AvailabilityState;
beforeEach(() => {
  calls = [];
  state = notReachedYet({
    onAway: ({ message }) => calls.push(`away: ${message}`),
    onWarning: (message) => calls.push(`warning: ${message}`),
    onError: ({ message }) => calls.push(`error: ${message}`),
    onReady: () => calls.push('ready'),
  });
});

function comeBack(): void {
  enter(state);
  reportReturn(state);
}

it('is away before the first attempt, with a fault, and reports nothing of it', () => {
  expect(state.status).toBe('away');
  expect(state.fault?.message).toBe('Redis has not been reached yet.');
  comeBack();
  expect([state.status, state.fault, calls]).toEqual(['ready', undefined, []]);
});

it('reports an outage once, fails what waits each time, and reports the return', () => {
  comeBack();
  const cause = new Error('OOM');
  const fault = leave(state, 'away', cause);
  expect(fault).toBe(state.fault);
  expect([fault.message, fault.cause]).toEqual(['Redis is away: OOM', cause]);
  leave(state, 'away', new Error('OOM'));
  comeBack();
  const once = ['error: OOM', 'away: Redis is away: OOM', 'away: Redis is away: OOM', 'ready'];
  expect(calls).toEqual(once);
  // The next outage is another one, though its fault is the same.
  leave(state, 'away', new Error('OOM'));
  expect(calls.slice(once.length)).toEqual(['error: OOM', 'away: Redis is away: OOM']);
});

it('reports that Redis is refused, and then why it is away', () => {
  leave(state, 'refused', new Error('it may evict'));
  expect([state.status, state.fault?.message]).toEqual(['refused', 'Redis is refused: it may evict']);
  leave(state, 'away', new Error('nearly full'));
  expect(state.status).toBe('away');
  expect(calls.filter((call) => call.startsWith('error'))).toEqual(['error: it may evict', 'error: nearly full']);
});

it('still fails what waits after it was closed, and reports nothing more', () => {
  state.isClosed = true;
  leave(state, 'away', new Error('closed'));
  comeBack();
  expect(calls).toEqual(['away: Redis is away: closed']);
});
