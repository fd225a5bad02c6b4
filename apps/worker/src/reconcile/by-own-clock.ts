import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import { reportChanges, type Task } from '@landline/queue';

/** The share of its time within which a task is first run: workers that start together do not all come at once. */
const SPREAD = 1 / 6;

/** Tasks that run by the clock of this process. */
export interface OwnClock {
  start(): void;
  /** Aborts what runs, and waits for its end for `timeoutMs` at most. */
  close(limit: { timeoutMs: number }): Promise<void>;
}

/**
 * Makes the clock of tasks that not every worker can do. A schedule in Redis would give turns to workers that let them pass, and would stay
 * there when nobody is left who can do them. Each worker that can do a task comes for it by itself, so the task asks the database whether it is due.
 *
 * @param tasks   Each is run at the start, and then once in its time, also while it runs.
 * @param logger  Hears of each error of a task once, until a run of that task ends well.
 */
export function byOwnClock(tasks: readonly Task[], logger: Logger): OwnClock {
  const leaving = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();

  function runner(task: Task): () => void {
    const errors = reportChanges(({ message }) => {
      if (!leaving.signal.aborted) logger.error(`Operations: ${message}`);
    });
    return () => {
      const work: Promise<void> = task
        .run(leaving.signal)
        .then(errors.reset, errors.report)
        .finally(() => running.delete(work));
      running.add(work);
    };
  }

  function begin(task: Task): void {
    const run = runner(task);
    run();
    timers.push(setInterval(run, task.everyMs).unref());
  }

  return {
    start() {
      for (const task of tasks) {
        timers.push(setTimeout(() => begin(task), Math.random() * SPREAD * task.everyMs).unref());
      }
    },
    async close({ timeoutMs }) {
      leaving.abort();
      timers.forEach(clearTimeout);
      await Promise.race([Promise.all(running), delay(timeoutMs, undefined, { ref: false })]);
    },
  };
}
