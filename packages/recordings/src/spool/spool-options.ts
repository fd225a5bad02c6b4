import type { DiskSpace } from '@landline/held-folder/disk-space';
import type { SpooledBody } from './spooled-body.ts';

/** How to make a spool. */
export interface SpoolOptions {
  /** `SPOOL_DIR` */
  dir: string;
  /** `SPOOL_LIMIT_BYTES`: of everything in the folder, that of other processes included. */
  limitBytes: number;
  /** Called with each body that waits: one that was just kept, or one that an ended process left. */
  onBody: (body: SpooledBody) => void;
  /** Called with each new trouble, once until it is over. */
  onError: (error: Error) => void;
  /** Called when the spool takes bodies again. */
  onReady: () => void;
  /** Reads the disk's space; the default asks the system. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
  checkMs?: number;
}
