/** How far back the pace looks, in ms. A longer span notices later that workers were added; a shorter one swings with single jobs. */
const SPAN_MS = 60_000;

/** Below this age of the oldest job, in seconds, workers keep up: then the pace is that of the arrivals, and says nothing of the workers. */
const KEEPS_UP_SECONDS = 5;

/** What was seen of a queue at one moment. */
export interface QueueLook {
  /** When it was seen, in ms of a clock that nobody sets. */
  at: number;
  /** Jobs that wait for a worker. */
  waiting: number;
  /** Jobs that have ever left the backlog: those that were ever added, less those that wait, run, or are to be tried again. */
  left: number;
  /** Age of the oldest job that waits, in seconds. */
  oldestSeconds: number;
}

/** Tells how long a backlog takes. */
export interface DrainPace {
  /**
   * Returns how long the jobs that wait now will take, in seconds, at the pace of the last minute; 0 where none waits. It is the age of the
   * oldest job while workers keep up, and while no pace is known: at the first look, or where no job was done.
   */
  secondsFor(look: QueueLook): number;
}

/** Makes a pace that has seen nothing. It learns from the looks that `secondsFor` is given, oldest first. */
export function createDrainPace(): DrainPace {
  /** Looks at which jobs waited, and between which some were done: only then the workers had enough to do, and did it. */
  let looks: QueueLook[] = [];

  function note(look: QueueLook): void {
    const last = looks.at(-1);
    // Fewer have left where Redis was emptied, or where jobs that rested in `failed` were put back. None has left in an outage, which says
    // nothing of the pace after it.
    if (look.waiting === 0 || (last !== undefined && look.left <= last.left)) looks = [];
    if (look.waiting > 0) looks.push(look);
    while ((looks[1]?.at ?? Infinity) <= look.at - SPAN_MS) looks.shift();
  }

  function jobsPerSecond(): number {
    const [first, last] = [looks[0], looks.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return ((last.left - first.left) * 1000) / (last.at - first.at);
  }

  return {
    secondsFor(look) {
      note(look);
      const pace = jobsPerSecond();
      const isPaceKnown = look.oldestSeconds >= KEEPS_UP_SECONDS && pace > 0;
      if (look.waiting === 0) return 0;
      return isPaceKnown ? look.waiting / pace : look.oldestSeconds;
    },
  };
}
