import type { Consumer } from '@landline/queue';
import type { Store } from '@landline/store';

/** How long jobs may wait with none begun or ended before the worker counts as wedged, in milliseconds. A statement may take 30 s. */
export const WEDGED_AFTER_MS = 60_000;

/** What health is judged by. */
export interface HealthOptions {
  consumer: Pick<Consumer, 'counts' | 'lastConsumedAt' | 'ping'>;
  store: Pick<Store, 'ping'>;
  /** Whether the worker waits for the database, and knows it. */
  isWaiting: () => boolean;
  /** Whether it consumes: started, and not on its way out. */
  isConsuming: () => boolean;
  /** The current time in unix milliseconds. */
  now: () => number;
  wedgedAfterMs: number;
}

/** The two questions an orchestrator asks. Neither answer ever rejects. */
export interface Health {
  /** False when jobs wait and none moves, though nothing outside explains it: a restart may help. */
  isLive(): Promise<boolean>;
  /** Whether Redis and Postgres answer and jobs are taken. */
  isReady(): Promise<boolean>;
}

/** Makes the judge of a worker's health. */
export function createHealth(options: HealthOptions): Health {
  const { consumer, store } = options;
  return {
    async isLive() {
      if (!options.isConsuming() || options.isWaiting()) return true;
      if (options.now() - consumer.lastConsumedAt() < options.wedgedAfterMs) return true;
      // Redis away: no restart would help, and readiness tells.
      const counts = await consumer.counts().catch(() => undefined);
      return counts === undefined || counts.waiting === 0;
    },
    async isReady() {
      if (!options.isConsuming() || options.isWaiting()) return false;
      const answers = await Promise.allSettled([consumer.ping(), store.ping()]);
      return answers.every(({ status }) => status === 'fulfilled');
    },
  };
}
