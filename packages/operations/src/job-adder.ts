import type { Delivery } from '@landline/webhook';
import type { OperationContext } from './operation-kind.ts';
import { pause } from './retry-while-away.ts';

/** Events in one job, and bytes of their bodies; a larger one is a job by itself. */
export const MOST_IN_JOB = { events: 200, bytes: 1024 * 1024 };

/** How often it is asked whether Redis has room, in ms. */
const ROOM_MS = 1_000;

/** A job that an operation adds to the webhook queue. */
export interface OperationJob {
  id: string;
  events: readonly Delivery[];
  /** Of the bodies. */
  bytes: number;
}

/** The webhook queue as an operation adds to it: `TrackedJobs` of packages/queue. Each method rejects with code `queue_unavailable` while Redis is away. */
export interface OperationQueue {
  /** A job whose id is there already is not added again. */
  add(job: OperationJob): Promise<void>;
  hasRoom(): Promise<boolean>;
}

/** Adds the job of these events. @throws the signal's reason as soon as it is aborted */
export type AddJob = (id: string, events: readonly Delivery[]) => Promise<void>;

/** Makes what adds jobs to the queue, each once Redis has room for it, and while this worker has the operation. */
export function createJobAdder(context: OperationContext, queue: OperationQueue): AddJob {
  let roomAt = -Infinity;

  async function untilRedisHasRoom(): Promise<void> {
    // oxlint-disable no-await-in-loop -- until there is room
    while (performance.now() > roomAt + ROOM_MS) {
      if (await context.retry(() => queue.hasRoom())) roomAt = performance.now();
      else await pause(ROOM_MS, context.signal);
    }
    // oxlint-enable no-await-in-loop
  }

  return async (id, events) => {
    await untilRedisHasRoom();
    await context.hold();
    const bytes = events.reduce((sum, { body, encoding }) => sum + Buffer.byteLength(body, encoding), 0);
    await context.retry(() => queue.add({ id, events, bytes }));
  };
}
