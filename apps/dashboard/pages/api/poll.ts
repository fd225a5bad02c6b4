import type { ApiError } from './client.ts';
import { pauseAfter } from './pause.ts';
import { sessionEnded } from './reach.ts';

/** What a run has come to: `last` where the same request would get the same answer. */
export type Turn = 'well' | 'last' | ApiError;

/** What `startPolling` needs. */
interface Polling {
  /** From the end of one run to the start of the next; 0 or less: one run, and none after it. */
  everyMs: number;
  /** Whether the pace stays while a server is away. */
  isSteady?: boolean;
  run: (signal: AbortSignal) => Promise<Turn>;
}

/**
 * Runs now, and again `everyMs` after each run, while the tab is visible. A tab that comes back runs at once.
 *
 * After faults the pauses are longer, and Retry-After is obeyed: see `pauseAfter`.
 *
 * @returns Stops it, and the request under way.
 */
export function startPolling({ everyMs, isSteady = false, run }: Polling): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let faults = 0;
  let pause: number | undefined = 0;
  /** Before this time the API does not want to be asked, unix ms. */
  let notBefore = 0;
  function note(end: Turn): void {
    notBefore = 0;
    if (typeof end === 'string') {
      faults = 0;
      pause = end === 'last' || everyMs <= 0 ? undefined : everyMs;
      return;
    }
    faults += 1;
    pause = pauseAfter(end, { everyMs, faults, isSteady });
    notBefore = Date.now() + Math.min(pause ?? 0, end.retryAfterMs ?? 0);
  }
  async function turn(): Promise<void> {
    clearTimeout(timer);
    if (isRunning || pause === undefined || abort.signal.aborted) return;
    isRunning = true;
    note(await run(abort.signal));
    isRunning = false;
    // Without a session each answer is 401: only a tab that comes back asks once more.
    if (pause === undefined || sessionEnded.peek() || abort.signal.aborted || document.hidden) return;
    timer = setTimeout(() => void turn(), pause);
  }
  function onVisible(): void {
    if (document.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(() => void turn(), Math.max(0, notBefore - Date.now()));
  }
  document.addEventListener('visibilitychange', onVisible);
  void turn();
  return () => {
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
