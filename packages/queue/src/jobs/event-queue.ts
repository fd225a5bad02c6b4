import { Job as BullJob, Queue, type JobJson } from 'bullmq';
import { encodeJob, isJobData } from './encode-job.ts';
import type { Job } from './job.ts';

/** Adds jobs whose data is bytes. ioredis measures and copies a text twice before it turns the text into bytes. */
export class EventQueue extends Queue<Job> {
  protected override get Job(): typeof BullJob {
    return EventJob;
  }
}

class EventJob<Data, Result, Name extends string, Progress extends BullJob['progress']> extends BullJob<
  Data,
  Result,
  Name,
  Progress
> {
  override asJSON(): JobJson {
    const { data } = this;
    if (!isJobData(data)) return super.asJSON();
    // Else BullMQ would turn the data into a text too.
    Reflect.set(this, 'data', undefined);
    const json = super.asJSON();
    this.data = data;
    // ioredis takes bytes wherever it takes a text.
    Reflect.set(json, 'data', encodeJob(data));
    return json;
  }
}
