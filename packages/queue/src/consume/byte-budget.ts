/** Lets work run while the bytes that it holds fit into a limit. */
export interface ByteBudget {
  /**
   * Runs `work` when its bytes fit beside those of the work that runs, and gives them back when it ends in any way. Work waits in the order
   * of the calls. Work of more bytes than the limit runs alone.
   *
   * @throws  the signal's reason when the signal is aborted before the turn of `work`; else what `work` throws.
   */
  run<T>(bytes: number, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Returns how many bytes the work that runs now holds. */
  held(): number;
}

interface Waiter {
  readonly bytes: number;
  readonly begin: () => void;
}

/** Makes a budget of which nothing is held. */
export function createByteBudget(limitBytes: number): ByteBudget {
  const waiting: Waiter[] = [];
  let held = 0;

  /** Begins no work before the one that waits longest: small work would keep large work out for ever. */
  function next(): void {
    for (let [first] = waiting; first && (held === 0 || held + first.bytes <= limitBytes); [first] = waiting) {
      waiting.shift();
      held += first.bytes;
      first.begin();
    }
  }

  function turn(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(waiter), 1);
        reject(signal.reason);
        next();
      };
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiter = { bytes, begin };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(waiter);
      next();
    });
  }

  return {
    async run(bytes, work, signal) {
      await turn(bytes, signal);
      try {
        return await work();
      } finally {
        held -= bytes;
        next();
      }
    },
    held: () => held,
  };
}
