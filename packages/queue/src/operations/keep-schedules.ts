import type { Queue } from 'bullmq';
import { TASK_JOB_OPTIONS, type Task } from './task.ts';

/** How often to look whether Redis still has the schedules, in ms. */
const LOOK_MS = 5000;

/** How much later than its time a tick may be before its schedule counts as lost, in ms: workers may have been away. */
const LATE_MS = 30_000;

/** What schedules are kept with. */
export interface SchedulesOptions {
  queue: Queue<unknown>;
  /** Resolves after the first attempt to connect. */
  connected: Promise<void>;
  tasks: Readonly<Record<string, Pick<Task, 'everyMs'>>>;
  report: (error: unknown) => void;
}

/** Sees to it that Redis has the schedules. */
export interface Schedules {
  start(): void;
  stop(): void;
}

/** Makes the schedules of tasks at the start, and again when Redis has lost them. Several workers that make the same one change nothing. */
export function keepSchedules({ queue, connected, tasks, report }: SchedulesOptions): Schedules {
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    await connected;
    for (const [name, { everyMs }] of Object.entries(tasks)) {
      // oxlint-disable-next-line no-await-in-loop -- a few
      const known = await queue.getJobScheduler(name);
      const isKept = known?.every === everyMs && (known.next ?? 0) > Date.now() - everyMs - LATE_MS;
      // oxlint-disable-next-line no-await-in-loop -- a few
      if (!isKept) await queue.upsertJobScheduler(name, { every: everyMs }, { name, opts: TASK_JOB_OPTIONS });
    }
  }

  const lookOnce = () => void look().catch(report);
  return {
    start() {
      timer ??= setInterval(lookOnce, LOOK_MS).unref();
      lookOnce();
    },
    stop: () => clearInterval(timer),
  };
}
