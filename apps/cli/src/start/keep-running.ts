import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '@landline/local-servers';

/** How fast a process that ends is started again. */
export interface Pace {
  /** The first delay; it doubles with every further end. */
  firstDelayMs: number;
  maxDelayMs: number;
  /** A process that ran this long was well: what ends it then is a new fault, with the first delay again. */
  steadyMs: number;
}

/** Of a process that has been well: a second, and half a minute at most. */
export const STEADY_PACE: Pace = { firstDelayMs: 1_000, maxDelayMs: 30_000, steadyMs: 60_000 };

/** What is kept running, and how. */
export interface KeepRunningOptions {
  name: string;
  /** The process where it runs already. */
  first?: RunningProcess;
  /** Starts it anew; may throw, and is then tried again. */
  restart: () => Promise<RunningProcess> | RunningProcess;
  print: (line: string) => void;
  /** Asked at each end. */
  pace?: () => Pace;
  /** Aborts when everything is to be stopped: from then on nothing is started and nothing printed. `stop` ends the process. */
  leaving?: AbortSignal;
}

/**
 * Starts a process anew whenever it ends or does not start, after a delay that doubles.
 *
 * @returns `stop`: ends the process and the watch over it.
 */
export function keepRunning(options: KeepRunningOptions): { stop: () => Promise<void> } {
  const { name, restart, print, pace = () => STEADY_PACE, leaving } = options;
  const stopping = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const isOver = () => stopping.signal.aborted || leaving?.aborted === true;
  let current = options.first;
  /** Starts it unless it runs, and says how it ended. */
  const live = async (): Promise<string> => {
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
      const end = await live();
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
