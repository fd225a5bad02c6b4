import type { Clock } from '../clock.ts';
import { errorOf, isOutOfSpace, JournalUnavailableError } from '../errors.ts';
import type { Range } from './ranges.ts';
import { sealRecord, type UnsealedRecord } from './record.ts';
import type { Segment } from './segment.ts';

/** The greatest number of records in one system call, which takes 1,024 buffers at most. */
const MAX_RECORDS_AT_ONCE = 512;

/** A record on the disk. */
export interface Written {
  segment: Segment;
  range: Range;
}

/** The options of a writer. */
export interface WriterOptions {
  /** The time after which a write is given up, in ms, because the disk hangs. */
  timeoutMs: number;
  /** Called when the disk did not take a write. The writer writes no more to that segment. */
  onFault: (error: Error) => void;
  clock: Clock;
}

/** Writes records to the end of a segment. Records that come during a write share the next write. */
export interface Writer {
  /** @throws JournalUnavailableError */
  write(record: UnsealedRecord): Promise<Written>;
  /** Writes to `segment` from the next write on; with undefined it refuses records. */
  moveTo(segment: Segment | undefined): void;
  /** Whether a write is under way. A write that does not end means that the disk hangs. */
  isBusy(): boolean;
  /** Resolves when no write is under way. */
  settled(): Promise<void>;
}

interface Waiting {
  record: UnsealedRecord;
  resolve: (written: Written) => void;
  reject: (error: Error) => void;
}

interface State extends WriterOptions {
  current: Segment | undefined;
  waiting: Waiting[];
  busy: Promise<void> | undefined;
}

/** Makes a writer. It refuses records until `moveTo`. */
export function createWriter(options: WriterOptions): Writer {
  const state: State = { ...options, current: undefined, waiting: [], busy: undefined };
  const writeAllWaiting = () => writeAll(state);
  return {
    write(record) {
      if (state.current === undefined) return Promise.reject(noFile());
      return new Promise((resolve, reject) => {
        state.waiting.push({ record, resolve, reject });
        state.busy ??= Promise.resolve().then(writeAllWaiting);
      });
    },
    moveTo(segment) {
      state.current = segment;
    },
    isBusy: () => state.busy !== undefined,
    async settled() {
      await state.busy;
    },
  };
}

async function writeAll(state: State): Promise<void> {
  while (state.waiting.length > 0) await writeBatch(state, state.waiting.splice(0, MAX_RECORDS_AT_ONCE));
  // Now, because a record that is added before `busy` is cleared would never be written.
  state.busy = undefined;
}

async function writeBatch(state: State, batch: readonly Waiting[]): Promise<void> {
  const { current: segment, clock, timeoutMs } = state;
  if (segment === undefined) return refuse(batch, noFile());
  const at = clock.now();
  const records = batch.map(({ record }) => sealRecord(record, at, segment.facts.seed));
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    fail(state, { segment, batch }, new Error(`the disk did not take a write within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    const ranges = await segment.append(records, { at, clock, isLate: () => isLate });
    ranges.forEach((range, i) => batch[i]?.resolve({ segment, range }));
  } catch (error) {
    fail(state, { segment, batch }, error);
  } finally {
    clearTimeout(late);
  }
}

/** Refuses a batch and all waiting records, because the disk did not take the batch. */
function fail(
  state: State,
  { segment, batch }: { segment: Segment; batch: readonly Waiting[] },
  thrown: unknown,
): void {
  const cause = errorOf(thrown);
  // An older file had no room, so the one that was begun meanwhile has none either.
  if (state.current === segment || isOutOfSpace(cause)) {
    state.current = undefined;
    state.onFault(cause);
  }
  const error = new JournalUnavailableError(`The journal failed: ${cause.message}.`, { cause });
  refuse(batch, error);
  refuse(state.waiting.splice(0), error);
}

function refuse(batch: readonly Waiting[], error: Error): void {
  for (const { reject } of batch) reject(error);
}

function noFile(): JournalUnavailableError {
  return new JournalUnavailableError('The journal has no file to write to.');
}
