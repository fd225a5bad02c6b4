import type { DiskSpace } from './room/disk-space.ts';

/** How a journal is made. */
export interface JournalOptions {
  /** `JOURNAL_DIR`; several processes of one machine may share it. */
  dir: string;
  /** Of all files in it, in bytes. */
  limitBytes: number;
  retentionHours: number;
  /** After this time a write is given up, in ms: the disk hangs. */
  writeTimeoutMs?: number;
  /** Why the journal takes nothing, or what of it cannot be read; never with an event's content. */
  onError?: (error: Error) => void;
  /** It takes groups again, after `onError` told why it did not. */
  onReady?: () => void;
  /** The system's clock, in unix ms. */
  now?: () => number;
  /** Ms since some moment, whatever the system's clock does. */
  elapsed?: () => number;
  /** Tells what the disk that `dir` is on has room for. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
}
