import { Job as BullJob, Queue, Worker, type JobJson } from 'bullmq';
import { unpackEvents } from '@landline/webhook/packed-events';
import { packedJobSchema, type Job, type PackedJob } from './job.ts';

/** A queue whose jobs can be added with their data in bytes, and are read with their events unpacked. */
export class EventQueue extends Queue<unknown> {
  protected override get Job(): typeof BullJob {
    return EventJob;
  }
}

/** A worker that gets jobs with their events unpacked. */
export class EventWorker extends Worker<unknown, void> {
  protected override get Job(): typeof BullJob {
    return EventJob;
  }
}

/** A job that BullMQ reads and writes; its data is in the form of version 1, or in bytes before it is added. */
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
    const packed = packedJobSchema.safeParse(job.data);
    if (packed.success) Reflect.set(job, 'data', unpacked(packed.data) ?? job.data);
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

/** Undefined where the data is damaged. Then the job keeps it, and the worker leaves the job in `failed`. */
function unpacked({ packed, ...sizes }: PackedJob): Job | undefined {
  try {
    return { v: 1, events: unpackEvents({ ...sizes, packed: Buffer.from(packed, 'base64') }) };
  } catch {
    return undefined;
  }
}
