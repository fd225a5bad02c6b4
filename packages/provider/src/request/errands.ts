/** What a caller has asked for, until it is done. It may take several requests. */
export interface Errand {
  /** Aborted by the caller, or by `Errands.end`. */
  readonly signal: AbortSignal;
  readonly done: () => void;
}

/** The errands that are under way. (`AbortSignal.any` would leave something behind in a signal that lives as long as the process.) */
export class Errands {
  readonly #ways = new Set<AbortController>();
  #ended: Error | undefined;

  begin(signal: AbortSignal): Errand {
    const way = new AbortController();
    const abort = () => {
      this.#ways.delete(way);
      way.abort(signal.reason);
    };
    if (signal.aborted) abort();
    else if (this.#ended !== undefined) way.abort(this.#ended);
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.#ways.add(way);
    }
    const done = () => {
      signal.removeEventListener('abort', abort);
      this.#ways.delete(way);
    };
    return { signal: way.signal, done };
  }

  /** Aborts all errands, and those that are begun later, with this reason. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const way of this.#ways) way.abort(reason);
  }
}
