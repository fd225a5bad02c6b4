import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import { HandBackError } from '@landline/queue/errors';
import type { StoreError } from '@landline/store';
import { FAULT_POLICY } from '../fault-policy.ts';

/** The first pause before the database is asked again, in milliseconds; each next one is twice as long. */
const FIRST_PAUSE_MS = 100;
/** The longest pause, in milliseconds: how late the worker may notice that the database is back. */
const LONGEST_PAUSE_MS = 5_000;

/** Holds the jobs in hand while the database is away. Their locks are kept, so nobody else takes them. */
export interface DatabaseGate {
  /**
   * Closes the gate, and resolves when the database could do our work again. A job that fails again though others have got through
   * since is alone with its fault: it closes nothing, and only rests. One that was alone too often (`pausesAlone` of FAULT_POLICY) fails.
   *
   * @param error   Why the database is believed to be away.
   * @param tries   How often in a row this has failed before: each makes the pause longer.
   * @param signal  The job's own; aborted when it is to go back.
   * @throws        HandBackError when that comes first; `error` itself when the job was alone too often.
   */
  wait(error: StoreError, tries: number, signal: AbortSignal): Promise<void>;
  /** Whether the database could do our work now. */
  answers(): Promise<boolean>;
  /** Whether the database is believed to be away. */
  isClosed(): boolean;
}

/** Whom the gate informs, and asks. */
export interface GateOptions {
  /** Called when the gate closes and when it opens again. */
  onChange?: (isClosed: boolean) => void;
  /** How many transactions have got through so far. */
  passed?: () => number;
  /** Aborted when the worker has left: nobody is asked any more. */
  left?: AbortSignal;
}

/**
 * Makes the gate.
 *
 * @param probe  Resolves when the database could do our work.
 */
export function createDatabaseGate(
  probe: () => Promise<void>,
  logger: Logger,
  { onChange = () => undefined, passed = () => 0, left }: GateOptions = {},
): DatabaseGate {
  /** Resolves when the gate opens. One asks for all who wait. */
  let opening: Promise<void> | undefined;
  /** By a job's signal: how many had got through when it last failed, and in how many of its pauses others did. */
  const faults = new WeakMap<AbortSignal, { passed: number; alone: number }>();

  const answers = () =>
    probe().then(
      () => true,
      () => false,
    );

  /** Not async: where `onChange` throws, the gate stays open, and the next fault tries again to close it. */
  function close(error: StoreError, tries: number): Promise<void> {
    logPause(logger, error);
    onChange(true);
    return reopen(tries);
  }

  /** Resolves when the gate is open again, or the worker has left. */
  async function reopen(tries: number): Promise<void> {
    if (!(await untilAnswered(answers, tries, left))) return;
    opening = undefined;
    logger.info('The database answers; going on');
    onChange(false);
  }

  return {
    answers,
    isClosed: () => opening !== undefined,
    async wait(error, tries, signal) {
      const before = faults.get(signal) ?? { passed: Infinity, alone: 0 };
      const isAlone = passed() > before.passed;
      const alone = before.alone + Number(isAlone);
      faults.set(signal, { passed: passed(), alone });
      if (!isAlone) return unlessAborted((opening ??= close(error, tries)), signal);
      if (alone > FAULT_POLICY[error.faultClass].pausesAlone) throw error;
      logAlone(logger, error, tries);
      return unlessAborted(sleep(pauseMs(tries)), signal);
    },
  };
}

/** Asks until the answer is yes, after ever longer pauses; false where the worker has left before. */
async function untilAnswered(
  answers: () => Promise<boolean>,
  firstPause: number,
  left?: AbortSignal,
): Promise<boolean> {
  for (let pause = firstPause; ; pause++) {
    await sleep(pauseMs(pause), undefined, left && { signal: left }).catch(() => undefined);
    if (left?.aborted) return false;
    if (await answers()) return true;
  }
}

/** Up to a fifth longer by chance, so that many workers do not come back in the same instant. */
function pauseMs(pause: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(pause, 10)) * (1 + Math.random() / 5);
}

/** @throws HandBackError as soon as the signal is aborted. */
async function unlessAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true, signal: done.signal });
  });
  await Promise.race([waited, aborted]);
  done.abort();
  if (signal.aborted) throw new HandBackError('The job goes back while the database is away.');
}

function logPause(logger: Logger, { code, faultClass, advice }: StoreError): void {
  const level = FAULT_POLICY[faultClass].alarm ? 'error' : 'warn';
  logger[level](
    { code, faultClass, ...(advice !== undefined && { advice }) },
    'Waiting for the database; events stay in Redis and no attempt is spent',
  );
}

/** At the first, second, fourth … try: it may last, and must not be forgotten. */
function logAlone(logger: Logger, { code, faultClass }: StoreError, tries: number): void {
  if ((tries & (tries - 1)) !== 0) return;
  logger.error({ code, faultClass, tries }, 'A job waits: the database refuses it while others get through');
}
