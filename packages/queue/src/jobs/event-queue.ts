import { Job as BullJob, Queue, type JobJson } from 'bullmq';
import { encodeJob, isJobData } from './encode-job.ts';
import type { Job } from './job.ts';

/** Adds jobs whose data is bytes already: of a text ioredis takes the length and a copy, twice, before it turns it into bytes. */
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
    // So that BullMQ does not turn it into a text as well.
    Reflect.set(this, 'data', undefined);
    const json = super.asJSON();
    this.data = data;
    // ioredis takes bytes wherever it takes a text.
    Reflect.set(json, 'data', encodeJob(data));
    return json;
  }
}
