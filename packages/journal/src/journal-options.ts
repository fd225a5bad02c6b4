import type { DiskSpace } from '@landline/held-folder/disk-space';

/** The options of a journal. */
export interface JournalOptions {
  /** `JOURNAL_DIR`. Several processes of one machine may share it. */
  dir: string;
  /** The limit of all files in the folder, in bytes. */
  limitBytes: number;
  retentionHours: number;
  /** The time after which a write is given up, in ms, because the disk hangs. */
  writeTimeoutMs?: number;
  /**
   * Called with the reason why the journal takes no groups, or with damage. The error never holds an event's content.
   */
  onError?: (error: Error) => void;
  /** Called when the journal takes groups again, after `onError` reported why it did not. */
  onReady?: () => void;
  /** The system's clock, in unix ms. */
  now?: () => number;
  /** A monotonic time in ms. */
  elapsed?: () => number;
  /** Reads the free space of the disk that `dir` is on. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
}
