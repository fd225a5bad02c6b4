import { setTimeout as wait } from 'node:timers/promises';
import { isRunning } from './is-running.ts';

const POLL_MS = 15;

/** One try at stopping a process: the signal, and how long it has before the next try. */
export interface StopStep {
  signal: NodeJS.Signals;
  withinMs: number;
}

/**
 * Stops `pid` by the gentlest step that works. Safe for a process that is gone already.
 *
 * @returns Whether it is gone.
 */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<boolean> {
  for (const { signal, withinMs } of steps) {
    if (!isRunning(pid)) return true;
    signalIfThere(pid, signal);
    const deadline = performance.now() + withinMs;
    while (isRunning(pid) && performance.now() < deadline) await wait(POLL_MS);
  }
  return !isRunning(pid);
}

/** Sends a signal to a process, or to the group of `-pid`; does nothing where there is none. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
