import { Job, type JobType, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Data of a job that is shown in a list, in bytes at most. */
const SHOWN_BYTES = 65_536;

const MEBIBYTE = 1024 * 1024;

/** The fields of a job in Redis, under BullMQ's own short names, that are read of one whose data is not. */
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

/** A page of jobs: of each state those from `start` to `end`, both included, the newest first where they rest. */
export interface JobPage {
  states: JobType[];
  start: number;
  end: number;
}

/**
 * Lists jobs to be looked at. The data of a large one is not read: Redis is asked again every few seconds, and ten jobs of 16 MiB each
 * would be 160 MiB every time. Such a job says how large it is instead; `queue.getJob` reads it whole.
 */
export async function listJobs(connection: Redis, queue: Queue<unknown>, page: JobPage): Promise<Job<unknown>[]> {
  const ids = await queue.getRanges(page.states, page.start, page.end);
  const jobs = await Promise.all(ids.map((id) => readJob(connection, queue, id)));
  return jobs.filter((job) => job !== undefined);
}

async function readJob(connection: Redis, queue: Queue<unknown>, id: string): Promise<Job<unknown> | undefined> {
  const bytes = await connection.hstrlen(queue.toKey(id), 'data');
  return bytes <= SHOWN_BYTES ? Job.fromId<unknown>(queue, id) : readWithoutData(connection, queue, { id, bytes });
}

async function readWithoutData(
  connection: Redis,
  queue: Queue<unknown>,
  { id, bytes }: { id: string; bytes: number },
): Promise<Job<unknown> | undefined> {
  const values = fieldsSchema.parse(await connection.hmget(queue.toKey(id), ...FIELDS));
  const text = (name: (typeof FIELDS)[number]) => values[FIELDS.indexOf(name)] ?? undefined;
  const number = (name: (typeof FIELDS)[number]) => Number(text(name) ?? 0);
  // Done and gone since its size was asked for.
  if (text('name') === undefined) return undefined;
  const notShown = `${(bytes / MEBIBYTE).toFixed(1)} MiB. Open the job to see its events.`;
  return Job.fromJSON<unknown>(
    queue,
    {
      id,
      name: text('name') ?? '',
      data: JSON.stringify({ notShown }),
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
