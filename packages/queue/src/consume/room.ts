import type { Job } from 'bullmq';
import type { JobMemory } from './job-memory.ts';
import { bytesLeft } from './leave-large-data.ts';
import type { SizedWorker } from './sized-worker.ts';

/**
 * How many large jobs may wait for their turn beside the jobs that run. They keep no small job out then, and hold no data. Each has a lock,
 * so another worker does not get them: with more, one worker would keep a whole backlog to itself.
 */
const MAX_WAITING = 256;

/** A job of so many bytes counts towards the next collection of garbage. V8 keeps up with smaller jobs, such as groups of live events, by itself. */
const NOTED_BYTES = 64 * 1024;

/** Decides how many jobs a worker may have, by what those that it has hold. */
export interface Room {
  /** A large job no longer waits: it has its turn, or goes back. */
  endWait(job: Job<unknown, void>): void;
  /** A job has ended in any way: what it held is free. */
  release(job: Job<unknown, void>): void;
}

/**
 * Watches a worker that has not begun yet.
 *
 * - Small jobs: while those of all the process' workers fill `memory.small`, the worker fetches none.
 * - Large jobs: they came without their data. The worker takes another job in the place of each one that waits.
 *
 * BullMQ asks for the concurrency before each fetch, and right after it has told of a job that it got.
 */
export function createRoom(worker: SizedWorker, memory: Pick<JobMemory, 'small' | 'garbage'>): Room {
  const { concurrency } = worker;
  const small = new Map<Job<unknown, void>, number>();
  const waiting = new Set<Job<unknown, void>>();

  function adjust(): void {
    worker.concurrency = memory.small.isFull() ? 1 : concurrency + Math.min(waiting.size, MAX_WAITING);
  }

  worker.onFetched = (job, bytes) => {
    // BullMQ fails a job with a deferred failure by itself.
    if (job.deferredFailure !== undefined) return;
    if (bytesLeft(job.data) === undefined) {
      small.set(job, bytes);
      memory.small.add(bytes);
    } else {
      waiting.add(job);
      adjust();
    }
  };
  worker.on('closed', memory.small.watch(adjust));

  return {
    endWait(job) {
      if (waiting.delete(job)) adjust();
    },
    release(job) {
      const bytes = small.get(job) ?? 0;
      memory.small.add(-bytes);
      if (bytes >= NOTED_BYTES) memory.garbage.note(bytes);
      small.delete(job);
      if (waiting.delete(job)) adjust();
    },
  };
}
