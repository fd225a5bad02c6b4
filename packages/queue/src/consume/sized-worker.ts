import { Worker, type Job, type JobJson } from 'bullmq';
import { EventJob } from '../jobs/event-queue.ts';
import { unpackedBytes } from '../jobs/job.ts';

/** BullMQ's worker, which unpacks events, and tells how much data each job has that it fetches: only here is a job's data still text. */
export class SizedWorker extends Worker<unknown, void> {
  /** Called with each job that was fetched, before it runs. Set it before the worker runs. */
  onFetched: (job: Job<unknown, void>, bytes: number) => void = () => undefined;

  protected override get Job(): typeof Job {
    return EventJob;
  }

  protected override createJob(json: JobJson, jobId: string): Job<unknown, void> {
    const job = super.createJob(json, jobId);
    this.onFetched(job, Math.max(json.data.length, unpackedBytes(json.data)));
    return job;
  }
}
