import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createByteBudget } from '../../src/consume/byte-budget.ts';

const never = new AbortController().signal;
const ignore = () => undefined;

/** A budget of 100 bytes, and work that runs until it is told to end. */
function aBudget() {
  const budget = createByteBudget(100);
  const begun: string[] = [];
  const hold = (name: string, bytes: number, signal = never) => {
    let end: () => void = ignore;
    let fail: (fault: Error) => void = ignore;
    const ending = new Promise<void>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    const work = () => {
      begun.push(name);
      return ending;
    };
    return { done: budget.run(bytes, work, signal), end, fail };
  };
  return { budget, begun, hold };
}

describe('a byte budget', () => {
  it('lets work run at once that fits, and makes the rest wait in order', async () => {
    const { budget, begun, hold } = aBudget();
    const first = hold('first', 60);
    hold('second', 40);
    hold('third', 50);
    hold('small', 1);
    await turn();
    expect(begun).toEqual(['first', 'second']);
    expect(budget.held()).toBe(100);
    first.end();
    await first.done;
    await turn();
    // The small one would have fitted before the third.
    expect(begun).toEqual(['first', 'second', 'third', 'small']);
    expect(budget.held()).toBe(91);
  });

  it('lets work that is larger than the limit run alone', async () => {
    const { budget, begun, hold } = aBudget();
    const small = hold('small', 1);
    const large = hold('large', 1_000);
    hold('behind', 1);
    await turn();
    expect(begun).toEqual(['small']);
    small.end();
    await small.done;
    await turn();
    expect(begun).toEqual(['small', 'large']);
    expect(budget.held()).toBe(1_000);
    large.end();
    await large.done;
    await turn();
    expect(begun).toEqual(['small', 'large', 'behind']);
    expect(budget.held()).toBe(1);
  });

  it('gets the bytes back when work fails, also when it fails at once', async () => {
    const { budget, hold } = aBudget();
    const fault = new Error('refused');
    const failing = hold('failing', 70);
    failing.fail(fault);
    await expect(failing.done).rejects.toBe(fault);
    const throwing = () => {
      throw fault;
    };
    await expect(budget.run(70, throwing, never)).rejects.toBe(fault);
    expect(budget.held()).toBe(0);
  });

  it('forgets work whose signal is aborted while it waits, and lets those behind it run', async () => {
    const { budget, begun, hold } = aBudget();
    const leaving = new AbortController();
    hold('first', 60);
    const waiting = hold('waiting', 60, leaving.signal);
    hold('behind', 40);
    leaving.abort(new Error('goes back'));
    await expect(waiting.done).rejects.toThrow('goes back');
    await turn();
    expect(begun).toEqual(['first', 'behind']);
    expect(budget.held()).toBe(100);
  });

  it('does not begin work whose signal was aborted before', async () => {
    const { budget, begun, hold } = aBudget();
    await expect(hold('late', 1, AbortSignal.abort(new Error('closing'))).done).rejects.toThrow('closing');
    expect(begun).toEqual([]);
    expect(budget.held()).toBe(0);
  });

  it('leaves work alone whose signal is aborted while it runs, until it ends', async () => {
    const { budget, hold } = aBudget();
    const leaving = new AbortController();
    const running = hold('running', 80, leaving.signal);
    await turn();
    leaving.abort();
    await turn();
    expect(budget.held()).toBe(80);
    running.end();
    await running.done;
    expect(budget.held()).toBe(0);
  });
});
