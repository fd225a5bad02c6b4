import { setTimeout as wait } from 'node:timers/promises';
import { isRunning } from './is-running.ts';

const POLL_MS = 15;

/** One step of stopping a process: the signal, and how long the process has before the next step. */
export interface StopStep {
  signal: NodeJS.Signals;
  withinMs: number;
}

/**
 * Stops the process `pid`: sends the signal of each step in turn until the process has ended. A process that has ended gets no signal.
 *
 * @returns Whether the process has ended.
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

/** Sends a signal to the process `pid`, or to the process group `-pid`. Does nothing where there is no such process. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
