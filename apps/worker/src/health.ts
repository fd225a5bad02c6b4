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

/** What stands in the way of work, if anything does. */
export interface Readiness {
  /** Whether Redis and Postgres answer and jobs are taken. */
  isReady: boolean;
  redis: 'ready' | 'unavailable';
  /** `unavailable` also while it answers and the worker waits for it: a table is locked, or missing. */
  postgres: 'ready' | 'unavailable';
}

/** The two questions an orchestrator asks. Neither answer ever rejects. */
export interface Health {
  /** False when jobs wait and none moves, or one runs on without its lock, though nothing outside explains it: a restart may help. */
  isLive(): Promise<boolean>;
  readiness(): Promise<Readiness>;
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
    async readiness() {
      // Who waits for the database knows, and a question to one that hangs would take its time.
      const [redis, postgres] = await Promise.all([doesAnswer(consumer), !options.isWaiting() && doesAnswer(store)]);
      return { isReady: redis && postgres && options.isConsuming(), redis: named(redis), postgres: named(postgres) };
    },
  };
}

function doesAnswer(asked: { ping: () => Promise<unknown> }): Promise<boolean> {
  return asked.ping().then(
    () => true,
    () => false,
  );
}

function named(isReady: boolean): 'ready' | 'unavailable' {
  return isReady ? 'ready' : 'unavailable';
}
