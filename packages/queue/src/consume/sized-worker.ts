import { Worker, type Job, type JobJson } from 'bullmq';

/** BullMQ's worker, which also tells how much data each job has that it fetches: only here is a job's data still text. */
export class SizedWorker extends Worker<unknown, void> {
  /** Called with each job that was fetched, before it runs. Set it before the worker runs. */
  onFetched: (job: Job<unknown, void>, characters: number) => void = () => undefined;

  protected override createJob(json: JobJson, jobId: string): Job<unknown, void> {
    const job = super.createJob(json, jobId);
    this.onFetched(job, json.data.length);
    return job;
  }
}
