import { removeRecordings, type RemovePorts } from '@landline/operations';
import type { Logger } from '@landline/process';
import type { Task } from '@landline/queue';

/** How often files are removed that could not be removed before, or that a late delivery has brought, in ms. */
const LOOK_MS = 60_000;

/** The task that removes what the storage is to lose. */
export const RECORDINGS_TASK = 'recordings-to-remove';

/** Makes the task that removes files of the storage, in one worker of all. What cannot be removed is logged at each look, and tried again. */
export function recordingsTask(ports: RemovePorts, logger: Logger): Task {
  return {
    everyMs: LOOK_MS,
    async run(signal) {
      const { removed, failed, error } = await removeRecordings(ports, signal);
      if (removed > 0) logger.info({ removed }, 'Removed recordings of what was forgotten');
      if (failed > 0) logger.error({ failed, reason: error }, 'Recordings of what was forgotten are still there');
    },
  };
}
