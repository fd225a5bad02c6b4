import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer } from '@landline/queue';
import type { Store } from '@landline/store';

/**
 * How long jobs may wait with none begun or ended, or one may run on without its lock, before the worker counts as wedged, in
 * milliseconds. A statement may take 30 s, and a blocking read that died is given up after 15 s.
 */
export const WEDGED_AFTER_MS = 60_000;

/** How long Redis and Postgres may take to answer, in milliseconds: a probe waits no longer, and one that hangs never answers. */
const ANSWER_LIMIT_MS = 3_000;

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

/** Whether work is done, and what stands in the way. */
export interface Readiness {
  /** `not consuming`: the worker has not begun, or is leaving; then nobody is asked. */
  status: 'ready' | 'unavailable' | 'not consuming';
  redis: Availability;
  /** `unavailable` also while it answers and jobs wait for it: a table is locked, or missing. */
  postgres: Availability;
}

type Availability = 'ready' | 'unavailable' | 'unknown';

/** The two questions an orchestrator asks. Neither answer ever rejects. */
export interface Health {
  /** False when jobs wait and none moves, or one runs on without its lock, though nothing outside explains it: a restart may help. */
  isLive(): Promise<boolean>;
  readiness(): Promise<Readiness>;
}

/** Makes the judge of a worker's health. */
export function createHealth(options: HealthOptions): Health {
  const { consumer, store } = options;
  /** Since when every check has seen jobs wait, and none move. */
  let stuckSince: number | undefined;

  /** Redis away, or the queue paused by hand, does not count: no restart would help. */
  async function isStuck(): Promise<boolean> {
    if (!(await mustConsume().catch(() => false))) stuckSince = undefined;
    else stuckSince = Math.max(stuckSince ?? options.now(), consumer.lastConsumedAt());
    return isOver(stuckSince);
  }

  async function mustConsume(): Promise<boolean> {
    const { waiting } = await consumer.counts();
    return waiting > 0 && !(await consumer.isQueuePaused());
  }

  /** Who waits for the database knows, and need not ask it. */
  const databaseAvailability = async () => (options.isWaiting() ? 'unavailable' : availability(store));

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
      if (!options.isConsuming()) return { status: 'not consuming', redis: 'unknown', postgres: 'unknown' };
      const [redis, postgres] = await Promise.all([availability(consumer), databaseAvailability()]);
      return { status: redis === 'ready' && postgres === 'ready' ? 'ready' : 'unavailable', redis, postgres };
    },
  };
}

async function availability(asked: { ping: () => Promise<unknown> }): Promise<Availability> {
  const late = delay(ANSWER_LIMIT_MS, 'unavailable' as const, { ref: false });
  return Promise.race([
    late,
    asked.ping().then(
      () => 'ready' as const,
      () => 'unavailable' as const,
    ),
  ]);
}
