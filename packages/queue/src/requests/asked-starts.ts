import type { Queue } from 'bullmq';
import { requestJobSchema, type ConsoleRequest } from './console-request.ts';

/** A request to begin an operation. */
export type StartRequest = ConsoleRequest & { do: 'start' };

/** A request to begin an operation that no worker has carried out yet. */
export interface AskedStart {
  request: StartRequest;
  /** When it was sent, in unix ms, by the clock of whoever sent it. */
  sentAt: number;
  /** Whether workers have given it up: it rests in `failed`, and nothing becomes of it unless somebody retries it. */
  hasFailed: boolean;
}

/** Where requests are that no worker has carried out. */
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

/** How many jobs of each state and shard are read at most, the newest first. */
const MOST_READ = 100;

/** The id of the job that begins an operation: a queue that has it drops a second one. */
export function startJobId(operation: string): string {
  return `start-${operation}`;
}

/** A job as BullMQ reads it. */
interface ReadJob {
  data: unknown;
  timestamp: number;
  finishedOn?: number | undefined;
}

/** Reads the requests of one shard that begin operations, the newest first of each state. */
export async function askedStarts(queue: Queue<unknown>): Promise<AskedStart[]> {
  const jobs = await queue.getJobs([...STATES], 0, MOST_READ - 1);
  // A job that was carried out while they were read is undefined.
  return jobs.flatMap((job) => startOf(job) ?? []);
}

/** Reads one; undefined where this shard has none. */
export async function askedStart(queue: Queue<unknown>, operation: string): Promise<AskedStart | undefined> {
  return startOf(await queue.getJob(startJobId(operation)));
}

/** Takes one out. Returns false where there is none, and where a worker has it in hand. */
export async function withdrawStart(queue: Queue<unknown>, operation: string): Promise<boolean> {
  // BullMQ answers 1 for a job that it does not have.
  return (await askedStart(queue, operation)) !== undefined && (await queue.remove(startJobId(operation))) === 1;
}

function startOf(job: ReadJob | undefined): AskedStart | undefined {
  const parsed = requestJobSchema.safeParse(job?.data);
  if (job === undefined || !parsed.success) return undefined;
  const { request } = parsed.data;
  if (request.do !== 'start') return undefined;
  // A job that is tried again has no end.
  return { request, sentAt: job.timestamp, hasFailed: job.finishedOn !== undefined };
}
