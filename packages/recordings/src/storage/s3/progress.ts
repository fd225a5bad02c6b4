/** Watches over an operation: it is aborted when it makes no progress. */
export interface Progress {
  /** Aborted where no byte came or went for the limit, or the caller aborts. */
  signal: AbortSignal;
  /** Whether the limit aborted it. */
  isStuck: () => boolean;
  /** Starts the time anew: the limit, or so many times the limit. */
  touch: (times?: number) => void;
  /** Stops the time, for as long as the operation waits for its caller. */
  pause: () => void;
  abort: () => void;
}

/** @param idleLimitMs  How long no byte may come or go. */
export function watchProgress(idleLimitMs: number, caller?: AbortSignal): Progress {
  const controller = new AbortController();
  let isStuck = false;
  let timer: NodeJS.Timeout | undefined;
  const pause = (): void => clearTimeout(timer);
  return {
    signal: caller === undefined ? controller.signal : AbortSignal.any([controller.signal, caller]),
    isStuck: () => isStuck,
    pause,
    touch(times = 1) {
      pause();
      timer = setTimeout(() => {
        isStuck = true;
        controller.abort();
      }, idleLimitMs * times);
    },
    abort: () => controller.abort(),
  };
}
