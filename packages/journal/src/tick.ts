/** How often marks are written, limits looked at, and a journal that failed is tried again, in ms. */
const TICK_MS = 1000;

/** Work that is done every second, one tick after the other. */
export interface Tick {
  /** Does it now; where one is under way, resolves with that. */
  run(): Promise<void>;
  /** Does it now, after one that is under way. */
  runAnew(): Promise<void>;
  /** Does it every second from now on, unless it was stopped. */
  start(): void;
  stop(): void;
  /** Resolves when none is under way. */
  settled(): Promise<void>;
}

/** Makes a tick that does `work`, which never rejects. */
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
