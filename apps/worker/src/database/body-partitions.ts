import type { Logger } from '@landline/process';
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

/** Calls `keepBodyPartitions` at once and every six hours. Of a check that fails it logs what to do, and repeats it soon. */
export function watchBodyPartitions(
  store: Pick<Store, 'makeBodyPartitions'>,
  logger: Logger,
  { checkMs = CHECK_MS, retryMs = RETRY_MS } = {},
): BodyPartitionWatch {
  let timer: NodeJS.Timeout | undefined;
  let hasStopped = false;
  let checking = check();

  function checkAgain(): void {
    checking = check();
  }

  async function check(): Promise<void> {
    let nextMs = checkMs;
    try {
      const made = await keepBodyPartitions(store);
      if (made > 0) logger.info({ made }, 'Made partitions for the bodies of the next days');
    } catch (error) {
      nextMs = retryMs;
      const fault = error instanceof StoreError ? { code: error.code, advice: error.advice } : {};
      logger.warn(fault, 'The partitions for the bodies of the next days could not be checked; trying again');
    }
    if (!hasStopped) timer = setTimeout(checkAgain, nextMs).unref();
  }

  return {
    async stop() {
      hasStopped = true;
      clearTimeout(timer);
      await checking;
    },
  };
}
