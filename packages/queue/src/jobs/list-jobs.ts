import { Job, type JobType, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Up to this size the data of a job is shown in a list, in bytes: as Redis has it, and unpacked. */
const SHOWN_BYTES = 65_536;

const MEBIBYTE = 1024 * 1024;

/** The fields that are read of a job whose data is not read, under BullMQ's own short names. */
const FIELDS = [
  'name',
  'opts',
  'timestamp',
  'delay',
  'priority',
  'ats',
  'atm',
  'stc',
  'processedOn',
  'finishedOn',
  'failedReason',
  'stacktrace',
  'pb',
] as const;

const fieldsSchema = z.array(z.string().nullable());

/** A page of jobs: those from `start` to `end` of each state, both included. Jobs that rest come newest first. */
export interface JobPage {
  states: JobType[];
  start: number;
  end: number;
}

/**
 * Lists jobs for the dashboard. The data of a large job is its size in words; `queue.getJob` reads the job whole. The dashboard asks
 * every few seconds, and ten jobs of 16 MiB would be 160 MiB each time.
 */
export async function listJobs(connection: Redis, queue: Queue<unknown>, page: JobPage): Promise<Job<unknown>[]> {
  const ids = await queue.getRanges(page.states, page.start, page.end);
  const jobs = await Promise.all(ids.map((id) => readJob(connection, queue, id)));
  return jobs.filter((job) => job !== undefined);
}

async function readJob(connection: Redis, queue: Queue<unknown>, id: string): Promise<Job<unknown> | undefined> {
  const bytes = await connection.hstrlen(queue.toKey(id), 'data');
  if (bytes > SHOWN_BYTES) return readWithoutData(connection, queue, { id, bytes });
  const job: Job<unknown> | undefined = await queue.getJob(id);
  if (job !== undefined && Buffer.byteLength(JSON.stringify(job.data)) > SHOWN_BYTES) job.data = notShown(bytes);
  return job;
}

/** @param bytes  As Redis has them. */
function notShown(bytes: number): { notShown: string } {
  const size = bytes < MEBIBYTE ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
  return { notShown: `${size} in Redis. Open the job to see its events.` };
}

async function readWithoutData(
  connection: Redis,
  queue: Queue<unknown>,
  { id, bytes }: { id: string; bytes: number },
): Promise<Job<unknown> | undefined> {
  const values = fieldsSchema.parse(await connection.hmget(queue.toKey(id), ...FIELDS));
  const text = (name: (typeof FIELDS)[number]) => values[FIELDS.indexOf(name)] ?? undefined;
  const number = (name: (typeof FIELDS)[number]) => Number(text(name) ?? 0);
  // The job was done, and removed, after its size was read.
  if (text('name') === undefined) return undefined;
  return Job.fromJSON<unknown>(
    queue,
    {
      id,
      name: text('name') ?? '',
      data: JSON.stringify(notShown(bytes)),
      opts: Job.optsFromJSON(text('opts')),
      progress: 0,
      timestamp: number('timestamp'),
      delay: number('delay'),
      priority: number('priority'),
      attemptsStarted: number('ats'),
      attemptsMade: number('atm'),
      stalledCounter: number('stc'),
      processedOn: number('processedOn'),
      finishedOn: number('finishedOn'),
      failedReason: text('failedReason') ?? '',
      stacktrace: text('stacktrace') ?? '[]',
      returnvalue: 'null',
      processedBy: text('pb') ?? '',
    },
    id,
  );
}
