import { DiskFullError, isOutOfSpace, JournalUnavailableError } from './errors.ts';
import type { Clock } from './clock.ts';
import { sealRecord, type UnsealedRecord } from './record.ts';
import { addRange, type Range } from './ranges.ts';
import { noteRecord, syncData, type Segment } from './segment.ts';

/** Records in one call to the system; it takes 1,024 buffers. */
const MAX_RECORDS_AT_ONCE = 512;

/** A record that is on the disk. */
export interface Written {
  segment: Segment;
  range: Range;
}

export interface WriterOptions {
  /** After this time a write is given up, in ms: the disk hangs. */
  timeoutMs: number;
  /** The disk did not take a write. Nothing more goes to its segment. */
  onFault: (error: Error) => void;
  clock: Clock;
}

/** Writes records to the end of a segment. Those that come while the disk is busy share the next write. */
export interface Writer {
  /** @throws JournalUnavailableError */
  write(record: UnsealedRecord): Promise<Written>;
  /** Goes on in `segment`, from the next write on; undefined: nowhere, and writes are refused. */
  moveTo(segment: Segment | undefined): void;
  /** Whether a write is under way that never came back: then the disk hangs. */
  isBusy(): boolean;
  /** Resolves when no write is under way. */
  settled(): Promise<void>;
}

interface Waiting {
  record: UnsealedRecord;
  resolve: (written: Written) => void;
  reject: (error: Error) => void;
}

/** Makes a writer; it refuses until `moveTo`. */
export function createWriter({ timeoutMs, onFault, clock }: WriterOptions): Writer {
  let current: Segment | undefined;
  const waiting: Waiting[] = [];
  let busy: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- a file has one end
    while (waiting.length > 0) await writeBatch(waiting.splice(0, MAX_RECORDS_AT_ONCE));
    // At once: who writes before it is cleared would wait for nobody.
    busy = undefined;
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    const segment = current;
    if (segment === undefined) return refuse(batch, noFile());
    const at = clock.now();
    const records = batch.map(({ record }) => sealRecord(record, at, segment.seed));
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      fail(segment, batch, new Error(`the disk did not take a write within ${timeoutMs} ms`));
    }, timeoutMs);
    segment.isWriting = true;
    try {
      await writeTo(segment, records);
    } catch (error) {
      return fail(segment, batch, error);
    } finally {
      segment.isWriting = false;
      clearTimeout(late);
    }
    segment.quietSince = clock.elapsed();
    batch.forEach(({ resolve }, i) => {
      const range = noteRecord(segment, records[i]?.length ?? 0, at);
      // Its callers were told that it failed, and nobody settles it: enqueued once more, it does no harm.
      if (isLate) addRange(segment.pending, range);
      else segment.held.add(range);
      resolve({ segment, range });
    });
  }

  function fail(segment: Segment, batch: readonly Waiting[], thrown: unknown): void {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    // Where an older file had no room, the one that was begun meanwhile has none either.
    if (current === segment || isOutOfSpace(cause)) {
      current = undefined;
      onFault(cause);
    }
    const error = new JournalUnavailableError(`The journal failed: ${cause.message}.`, { cause });
    refuse(batch, error);
    refuse(waiting.splice(0), error);
  }

  function refuse(batch: readonly Waiting[], error: Error): void {
    for (const { reject } of batch) reject(error);
  }

  return {
    write(record) {
      if (current === undefined) return Promise.reject(noFile());
      return new Promise((resolve, reject) => {
        waiting.push({ record, resolve, reject });
        busy ??= Promise.resolve().then(writeAll);
      });
    },
    moveTo(segment) {
      current = segment;
    },
    isBusy: () => busy !== undefined,
    async settled() {
      await busy;
    },
  };
}

function noFile(): JournalUnavailableError {
  return new JournalUnavailableError('The journal has no file to write to.');
}

async function writeTo({ handle, bytes }: Segment, records: readonly Buffer[]): Promise<void> {
  if (handle === undefined) throw new Error('its file is closed');
  const length = records.reduce((sum, record) => sum + record.length, 0);
  try {
    const { bytesWritten } = await handle.writev(records);
    // A disk that is nearly full takes a part and says no word.
    if (bytesWritten < length) throw new DiskFullError(`the disk took ${bytesWritten} of ${length} bytes; it is full`);
    await syncData(handle);
  } catch (error) {
    // What was refused must neither take room nor come back as a record. Where that fails as well it may: enqueued, it does no harm.
    await handle.truncate(bytes).catch(() => undefined);
    throw error;
  }
}
