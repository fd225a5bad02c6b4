import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '@landline/local-servers';

/** The pauses before a process that ended is started again. */
export interface Pace {
  /** The first pause; it doubles each time the process ends. */
  firstDelayMs: number;
  maxDelayMs: number;
  /** When a process has run for longer than this, its end counts as a new fault: the pause is the first one again. */
  steadyMs: number;
}

/** The pauses for a process that has worked before: a second at first, and half a minute at most. */
export const STEADY_PACE: Pace = { firstDelayMs: 1_000, maxDelayMs: 30_000, steadyMs: 60_000 };

/** The process to keep running, and how. */
export interface KeepRunningOptions {
  name: string;
  /** The process, where it runs already. */
  first?: RunningProcess;
  /** Starts the process. When it throws, it is called again after a pause. */
  restart: () => Promise<RunningProcess> | RunningProcess;
  print: (line: string) => void;
  /** Answers the pauses; called each time the process ends. */
  pace?: () => Pace;
  /** Aborts when everything is to be stopped. From then on no process is started and no line printed. `stop` ends the process. */
  leaving?: AbortSignal;
}

/**
 * Starts a process again whenever it ends or does not start, after a pause that doubles each time.
 *
 * @returns `stop`: ends the process, and does not start it again.
 */
export function keepRunning(options: KeepRunningOptions): { stop: () => Promise<void> } {
  const { name, restart, print, pace = () => STEADY_PACE, leaving } = options;
  const stopping = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const isOver = () => stopping.signal.aborted || leaving?.aborted === true;
  let current = options.first;
  /** Starts the process unless it runs, waits for its end, and describes that. */
  const runOnce = async (): Promise<string> => {
    try {
      current ??= await restart();
    } catch (error) {
      return `${name} did not start: ${error instanceof Error ? error.message : String(error)}`;
    }
    const how = await Promise.race([current.exited, stopped]);
    return `${name} ended (${how}).`;
  };
  const watch = async (): Promise<void> => {
    let failures = 0;
    while (!isOver()) {
      const since = performance.now();
      const end = await runOnce();
      if (isOver()) return;
      current = undefined;
      const { firstDelayMs, maxDelayMs, steadyMs } = pace();
      failures = performance.now() - since > steadyMs ? 1 : failures + 1;
      const delayMs = Math.min(firstDelayMs * 2 ** (failures - 1), maxDelayMs);
      print(`${end.replace(/(?<![.!?])$/, '.')} Starting it again in ${delayMs / 1000} s.`);
      await Promise.race([wait(delayMs, undefined, { ref: false }), stopped]);
    }
  };
  const watching = watch();
  const stop = async () => {
    stopping.abort();
    await watching;
    await current?.stop();
  };
  return { stop };
}
