/**
 * The interval of ticks, in ms. A tick writes marks, enforces limits and retries a failed journal. After a crash, up to
 * one interval of records is enqueued twice.
 */
const TICK_MS = 1000;

/** A job that runs every second, never twice at the same time. */
export interface Tick {
  /** Runs the work now. Where a run is under way, resolves with that run. */
  run(): Promise<void>;
  /** Runs the work now, after a run that is under way. */
  runAnew(): Promise<void>;
  /** Runs the work every second from now on, unless `stop` was called. */
  start(): void;
  stop(): void;
  /** Resolves when no run is under way. */
  settled(): Promise<void>;
}

/** Makes a tick of `work`, which must never reject. */
export function createTick(work: () => Promise<void>): Tick {
  let ticking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function run(): Promise<void> {
    ticking ??= work().finally(() => (ticking = undefined));
    return ticking;
  }

  return {
    run,
    async runAnew() {
      await ticking;
      await run();
    },
    start() {
      if (!isStopped) timer = setInterval(() => void run(), TICK_MS).unref();
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
    async settled() {
      await ticking;
    },
  };
}
