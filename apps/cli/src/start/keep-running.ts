import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '../services/running-process.ts';

/** How fast a process that ends is started again. */
export interface Pace {
  /** The first delay; it doubles with every further end. */
  firstDelayMs: number;
  maxDelayMs: number;
  /** A process that ran this long was well: what ends it then is a new fault, with the first delay again. */
  steadyMs: number;
}

const PACE: Pace = { firstDelayMs: 1_000, maxDelayMs: 30_000, steadyMs: 60_000 };

/** What is kept running, and how. */
export interface KeepRunningOptions {
  name: string;
  first: RunningProcess;
  /** Starts it anew; may throw, and is then tried again. */
  restart: () => Promise<RunningProcess> | RunningProcess;
  print: (line: string) => void;
  pace?: Pace;
}

/**
 * Starts a process anew whenever it ends, after a delay of one second that doubles up to 30.
 *
 * @returns `stop`: ends the process and the watch over it.
 */
export function keepRunning({ name, first, restart, print, pace = PACE }: KeepRunningOptions): {
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  let current = first;
  const watch = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const since = performance.now();
      const how = await Promise.race([current.exited, stopped]);
      if (stopping.signal.aborted) return;
      failures = performance.now() - since > pace.steadyMs ? 1 : failures + 1;
      const delayMs = Math.min(pace.firstDelayMs * 2 ** (failures - 1), pace.maxDelayMs);
      print(`${name} ended (${how}). Starting it again in ${delayMs / 1000} s.`);
      await Promise.race([wait(delayMs, undefined, { ref: false }), stopped]);
      if (stopping.signal.aborted) return;
      current = await tryToStart(restart);
    }
  };
  const watching = watch();
  const stop = async () => {
    stopping.abort();
    await watching;
    await current.stop();
  };
  return { stop };
}

async function tryToStart(restart: KeepRunningOptions['restart']): Promise<RunningProcess> {
  try {
    return await restart();
  } catch (error) {
    const how = error instanceof Error ? error.message : String(error);
    return { pid: 0, exited: Promise.resolve(how), stop: async () => {} };
  }
}
