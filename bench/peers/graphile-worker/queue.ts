import { Logger } from 'graphile-worker';

/** The one task. */
export const TASK = 'webhook';

/** Says nothing: its own logger prints a line for each job. */
export const SILENT = new Logger(() => () => undefined);
