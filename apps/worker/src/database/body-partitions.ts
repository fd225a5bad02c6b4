import type { Logger } from '@landline/process';
import type { Task } from '@landline/queue';
import { StoreError, type Store } from '@landline/store';

/** How often it is checked that there are partitions for the next days, in milliseconds: six hours. They are made a week ahead. */
const CHECK_MS = 6 * 60 * 60 * 1_000;

/** How soon a check that failed is repeated, in milliseconds. */
const RETRY_MS = 60_000;

/** See `watchBodyPartitions`. */
export interface BodyPartitionWatch {
  /** Resolves when no check is under way. */
  stop(): Promise<void>;
}

/**
 * Makes the partitions that bodies need within the next week. An event whose partition is missing all the same is not lost: the store makes that
 * at once.
 *
 * @returns  How many were missing.
 * @throws   StoreError
 */
export async function keepBodyPartitions(store: Pick<Store, 'makeBodyPartitions'>): Promise<number> {
  return store.makeBodyPartitions();
}

/** Makes the task that calls `keepBodyPartitions` every six hours, in one worker of all. */
export function bodyPartitionsTask(store: Pick<Store, 'makeBodyPartitions'>, logger: Logger): Task {
  return { everyMs: CHECK_MS, run: () => keepAndLog(store, logger) };
}

/** Calls `keepBodyPartitions` at the start, until it succeeds: Redis may be away, and the task with it. Of a check that fails it logs what to do. */
export function watchBodyPartitions(
  store: Pick<Store, 'makeBodyPartitions'>,
  logger: Logger,
  { retryMs = RETRY_MS } = {},
): BodyPartitionWatch {
  let timer: NodeJS.Timeout | undefined;
  let hasStopped = false;
  let checking = check();

  function checkAgain(): void {
    checking = check();
  }

  async function check(): Promise<void> {
    try {
      await keepAndLog(store, logger);
    } catch (error) {
      const fault = error instanceof StoreError ? { code: error.code, advice: error.advice } : {};
      logger.warn(fault, 'The partitions for the bodies of the next days could not be checked; trying again');
      if (!hasStopped) timer = setTimeout(checkAgain, retryMs).unref();
    }
  }

  return {
    async stop() {
      hasStopped = true;
      clearTimeout(timer);
      await checking;
    },
  };
}

async function keepAndLog(store: Pick<Store, 'makeBodyPartitions'>, logger: Logger): Promise<void> {
  const made = await keepBodyPartitions(store);
  if (made > 0) logger.info({ made }, 'Made partitions for the bodies of the next days');
}
