import { setTimeout as delay } from 'node:timers/promises';

/** Whoever asked for readiness this long ago or less is watching, in ms. */
const WATCHED_MS = 15_000;

/** How long who was told gets to act on it, in ms: what it has sent by then is still answered. */
const ACT_MS = 1000;

/** Knows whether somebody, such as a load balancer, watches the readiness. */
export interface ReadinessWatch {
  /** Readiness was asked for, and answered. */
  asked(answer: { isDraining: boolean }): void;
  /** Resolves when who watches has been told of the draining and had time to act; at once when nobody does, and within `timeoutMs`. */
  untilTold(limit: { timeoutMs: number }): Promise<void>;
}

/** Makes a watch; `now` is monotonic, in ms. */
export function createReadinessWatch(now: () => number = () => performance.now()): ReadinessWatch {
  let askedAt = -Infinity;
  let tell!: () => void;
  const told = new Promise<void>((resolve) => (tell = resolve));
  return {
    asked({ isDraining }) {
      askedAt = now();
      if (isDraining) tell();
    },
    async untilTold({ timeoutMs }) {
      if (now() - askedAt > WATCHED_MS) return;
      await Promise.race([told.then(() => delay(ACT_MS)), delay(timeoutMs)]);
    },
  };
}
