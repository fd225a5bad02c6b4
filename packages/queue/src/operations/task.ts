import type { JobsOptions, Queue } from 'bullmq';

/** Something that one worker of all does now and then. */
export interface Task {
  /** Once in so many ms, however many workers there are; with several shards, once for each of them. */
  everyMs: number;
  /**
   * Does what is due. It also runs when somebody wakes it, so it may run several times at once.
   *
   * @param signal  Aborted when the process leaves: the task must end soon, and another worker is woken.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** The task that runs operations. */
export const OPERATIONS_TASK = 'operations';

/** A job of a task is gone when it is done, whatever came of it. */
export const TASK_JOB_OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/** Adds a job that runs a task now. */
export async function wakeTask(queue: Queue<unknown>, task: string): Promise<void> {
  await queue.add(task, {}, TASK_JOB_OPTIONS);
}
