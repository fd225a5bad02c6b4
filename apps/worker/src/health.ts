import type { Consumer } from '@landline/queue';
import type { Store } from '@landline/store';

/**
 * How long jobs may wait with none begun or ended, or one may run on without its lock, before the worker counts as wedged, in
 * milliseconds. A statement may take 30 s, and a blocking read that died is given up after 15 s.
 */
export const WEDGED_AFTER_MS = 60_000;

/** What health is judged by. */
export interface HealthOptions {
  consumer: Pick<Consumer, 'counts' | 'isQueuePaused' | 'lastConsumedAt' | 'ping'> &
    Partial<Pick<Consumer, 'lockLostAt'>>;
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
  /** False when jobs wait and none moves, or one runs on without its lock, though nothing outside explains it: a restart may help. */
  isLive(): Promise<boolean>;
  /** Whether Redis and Postgres answer and jobs are taken. */
  isReady(): Promise<boolean>;
}

/** Makes the judge of a worker's health. */
export function createHealth(options: HealthOptions): Health {
  const { consumer, store } = options;
  /** Since when every look has seen jobs wait, and none move. */
  let stuckSince: number | undefined;

  /** Redis away, or the queue paused by hand, is no such look: no restart would help. */
  async function isStuck(): Promise<boolean> {
    if (!(await mustConsume().catch(() => false))) stuckSince = undefined;
    else stuckSince = Math.max(stuckSince ?? options.now(), consumer.lastConsumedAt());
    return isOver(stuckSince);
  }

  async function mustConsume(): Promise<boolean> {
    const { waiting } = await consumer.counts();
    return waiting > 0 && !(await consumer.isQueuePaused());
  }

  const isOver = (since: number | undefined) => since !== undefined && options.now() - since >= options.wedgedAfterMs;

  return {
    async isLive() {
      if (!options.isConsuming() || options.isWaiting()) {
        stuckSince = undefined;
        return true;
      }
      return !isOver(consumer.lockLostAt?.()) && !(await isStuck());
    },
    async isReady() {
      if (!options.isConsuming() || options.isWaiting()) return false;
      const answers = await Promise.allSettled([consumer.ping(), store.ping()]);
      return answers.every(({ status }) => status === 'fulfilled');
    },
  };
}
