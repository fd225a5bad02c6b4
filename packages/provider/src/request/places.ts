import { pause } from './pause.ts';
import { LONGEST_ASKED_MS } from './retry.ts';

/** The smallest plan of the provider allows two requests at once. */
const MOST_AT_ONCE = 2;

/** How long one request at a time is made after the provider has said that there are too many, in ms. Other programs of the workspace share the limit. */
const CROWDED_MS = 60_000;

/** The places of the requests that a process has on their way at once. */
export class Places {
  #taken = 0;
  #openAt = 0;
  #crowdedUntil = 0;
  readonly #waiting = new Set<() => void>();

  /**
   * Waits for a place, and takes it.
   *
   * @returns  Gives the place back; a second call changes nothing.
   * @throws   The reason of the signal as soon as that is aborted.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    for (;;) {
      signal.throwIfAborted();
      const now = performance.now();
      if (this.#openAt > now) await pause(this.#openAt - now, signal);
      else if (this.#taken < (this.#crowdedUntil > now ? 1 : MOST_AT_ONCE)) break;
      else await this.#change(signal);
    }
    this.#taken++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken--;
      for (const wake of this.#waiting) wake();
    };
  }

  /** Gives no place out for a time: the provider has asked for a pause. One that no request waits for stops nobody. */
  close(ms: number): void {
    if (ms > LONGEST_ASKED_MS) return;
    this.#openAt = Math.max(this.#openAt, performance.now() + ms);
  }

  /** Gives one place out at a time for a while. */
  crowd(): void {
    this.#crowdedUntil = performance.now() + CROWDED_MS;
  }

  /** Waits until a place is given back, or the signal is aborted. */
  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
