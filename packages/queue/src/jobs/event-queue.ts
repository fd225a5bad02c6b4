import { Job as BullJob, Queue, type JobJson } from 'bullmq';
import { unpackEvents } from '@landline/webhook/packed-events';
import { jobOf, packedJobSchema } from './job.ts';

/** A queue whose jobs can be added with their data in bytes, and are read with their events unpacked. */
export class EventQueue extends Queue<unknown> {
  protected override get Job(): typeof BullJob {
    return EventJob;
  }
}

/** A job that BullMQ reads and writes; its data is never packed, or is in bytes before it is added. */
export class EventJob<Data, Result, Name extends string, Progress extends BullJob['progress']> extends BullJob<
  Data,
  Result,
  Name,
  Progress
> {
  // oxlint-disable-next-line typescript/no-explicit-any -- BullMQ's own signature
  static override fromJSON<D = any, R = any, N extends string = string>(
    ...[queue, json, jobId]: Parameters<typeof BullJob.fromJSON>
  ): BullJob<D, R, N> {
    const job = super.fromJSON<D, R, N>(queue, json, jobId);
    Reflect.set(job, 'data', unpackData(job.data));
    return job;
  }

  override asJSON(): JobJson {
    const { data } = this;
    if (!Buffer.isBuffer(data)) return super.asJSON();
    // Else BullMQ would turn the bytes into a text. ioredis would measure and copy that text twice, and turn it into bytes again.
    Reflect.set(this, 'data', undefined);
    const json = super.asJSON();
    this.data = data;
    // ioredis takes bytes wherever it takes a text.
    Reflect.set(json, 'data', data);
    return json;
  }
}

/** Returns the data of a job with its events unpacked. Damaged data stays as it is: then the worker leaves the job in `failed`. A checksum tells it. */
export function unpackData(data: unknown): unknown {
  const job = packedJobSchema.safeParse(data);
  if (!job.success) return data;
  try {
    return jobOf(unpackEvents({ ...job.data, packed: Buffer.from(job.data.packed, 'base64') }));
  } catch {
    return data;
  }
}
