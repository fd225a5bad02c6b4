import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { WEBHOOK_QUEUE } from '../names.ts';
import { boundExpiries } from '../redis/expiring-key.ts';
import { LOCK_DURATION_MS, STALLED_INTERVAL_MS } from './open-worker.ts';
import { retryStalled, type FailedPosition } from './retry-stalled.ts';

/** How often to shorten keys of BullMQ that would stay longer than they may, in ms. */
const BOUND_INTERVAL_MS = 5000;

/** How often to search `failed` for jobs whose workers died too often, in ms. */
const RETRY_STALLED_INTERVAL_MS = 60_000;

/** What a consumer's upkeep works with. */
export interface UpkeepOptions {
  connection: Redis;
  /** Resolves after the first attempt to connect. */
  connected: Promise<void>;
  queue: Queue<unknown>;
  report: (error: unknown) => void;
}

/** What a consumer does for its queue beside taking jobs. */
export interface Upkeep {
  /** Does everything once, as soon as the connection was tried, and then at intervals. */
  start(): void;
  stop(): void;
}

/** Makes the upkeep of a queue; it does nothing until `start`. */
export function createUpkeep({ connection, connected, queue, report }: UpkeepOptions): Upkeep {
  let position: FailedPosition = { from: 0 };
  const timers: NodeJS.Timeout[] = [];

  /** Does nothing for dead letters: all of them rest in `failed`, and a person retries them. */
  async function retryNextStalled(): Promise<void> {
    if (queue.name !== WEBHOOK_QUEUE) return;
    position = await retryStalled(connection, queue, { ...position, now: Date.now() });
  }

  function repeat(intervalMs: number, work: () => Promise<void>): void {
    timers.push(setInterval(() => void work().catch(report), intervalMs).unref());
  }

  const boundKeys = () => boundQueueKeys(connection, queue);
  return {
    start() {
      connected.then(boundKeys).then(retryNextStalled).catch(report);
      if (timers.length > 0) return;
      repeat(RETRY_STALLED_INTERVAL_MS, retryNextStalled);
      repeat(BOUND_INTERVAL_MS, boundKeys);
    },
    stop: () => timers.forEach(clearInterval),
  };
}

function boundQueueKeys(connection: Redis, queue: Queue<unknown>): Promise<void> {
  return boundExpiries(connection, {
    jobPrefix: queue.toKey(''),
    stalledCheckKey: queue.toKey('stalled-check'),
    stalledCheckMs: STALLED_INTERVAL_MS,
    activeKey: queue.toKey('active'),
    lockMs: LOCK_DURATION_MS,
  });
}
