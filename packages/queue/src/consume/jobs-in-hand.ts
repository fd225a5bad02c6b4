/** The jobs that a consumer runs now. */
export interface JobsInHand {
  /** Runs a job's `work`. Its signal is aborted when the job must go back: the lock is lost, or the consumer closes. */
  run(id: string | undefined, work: (signal: AbortSignal) => Promise<void>): Promise<void>;
  count(): number;
  /** Marks the jobs with these ids as jobs without a lock, and aborts their signals. Ignores ids of other consumers. */
  loseLocks(ids: readonly string[]): void;
  /** Aborts the signals of all jobs, and of those that begin later. */
  handBackAll(): void;
  /** Counts this moment as one in which a job moved: the consumer starts, or takes jobs again. */
  touch(): void;
  /** Returns when a job last began or ended, or `touch` was last called, in unix ms. */
  lastMovedAt(): number;
  /** Returns since when a job runs without its lock, in unix ms; undefined when all running jobs have theirs. */
  lockLostAt(): number | undefined;
}

interface JobInHand {
  readonly id: string | undefined;
  readonly handBack: AbortController;
  lockLostAt?: number;
}

/** Makes an empty set of jobs in hand. */
export function createJobsInHand(): JobsInHand {
  const inHand = new Set<JobInHand>();
  let lastMovedAt = Date.now();
  let isHandingBack = false;
  const touch = (): void => void (lastMovedAt = Date.now());

  return {
    async run(id, work) {
      const job: JobInHand = { id, handBack: new AbortController() };
      if (isHandingBack) job.handBack.abort();
      inHand.add(job);
      touch();
      try {
        await work(job.handBack.signal);
      } finally {
        inHand.delete(job);
        touch();
      }
    },
    count: () => inHand.size,
    loseLocks(ids) {
      for (const job of inHand) if (job.id !== undefined && ids.includes(job.id)) loseLock(job);
    },
    handBackAll() {
      isHandingBack = true;
      for (const { handBack } of inHand) handBack.abort();
    },
    touch,
    lastMovedAt: () => lastMovedAt,
    lockLostAt: () => earliestOf([...inHand].flatMap(({ lockLostAt }) => lockLostAt ?? [])),
  };
}

/** Another worker has the job now, or will have it: the work here must end. */
function loseLock(job: JobInHand): void {
  job.lockLostAt ??= Date.now();
  job.handBack.abort();
}

function earliestOf(times: number[]): number | undefined {
  return times.length > 0 ? Math.min(...times) : undefined;
}
