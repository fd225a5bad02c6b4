import type { Clock } from '../clock.ts';
import { createEnqueueState, type EnqueueState } from './enqueue-state.ts';
import { SEGMENT_HEADER_BYTES } from './format.ts';
import { writeMark } from './mark.ts';
import type { Range } from './ranges.ts';
import { readRecords, type Found } from './read-records.ts';
import { noteReenqueued, type Reenqueued } from './reenqueued.ts';
import type { SegmentFile } from './segment-file.ts';
import type { AppendOptions, Segment, SegmentFacts } from './segment.ts';
import { createTimeIndex, type TimeIndex } from './time-index.ts';

interface State {
  file: SegmentFile;
  facts: SegmentFacts;
  enqueue: EnqueueState;
  reenqueued: Reenqueued[];
  index: TimeIndex;
  begunAt: number;
  lastWrittenAt: number;
  isWriting: boolean;
  isMarkStale: boolean;
}

/** Makes a segment of a file, with the `pending` and `reenqueued` parts of its mark. */
export function createSegment(
  file: SegmentFile,
  facts: SegmentFacts,
  { pending = [], reenqueued = [] }: { pending?: Range[]; reenqueued?: Reenqueued[] } = {},
): Segment {
  const state = createState(file, facts, { pending, reenqueued });
  const { enqueue } = state;
  const isEnqueued = () => !state.isWriting && enqueue.isComplete();
  return {
    facts,
    path: () => file.path(),
    isOpen: () => file.isOpen(),
    begunAt: () => state.begunAt,
    lastWrittenAt: () => state.lastWrittenAt,
    measureAge: (clock) => measureAge(state, clock),
    pending: () => enqueue.pending(),
    isEnqueued,
    isEmpty: () => facts.bytes <= SEGMENT_HEADER_BYTES && isEnqueued(),
    append: (records, options) => append(state, records, options),
    read: (range) => read(state, range),
    take: (range) => enqueue.take(range),
    settle: (range, outcome, at) => settle(state, range, { outcome, at }),
    giveUpHeld: () => giveUpHeld(state),
    redoSince: (sinceMs) => redoSince(state, sinceMs),
    cutAt: (offset) => cutAt(state, offset),
    copyAside: (part) => file.copyAside(part),
    skip: (part) => skip(state, part),
    takeMissingBytes: () => takeMissingBytes(facts),
    isInPlace: () => file.isInPlace(),
    moveTo: (folder, owner) => moveTo(state, folder, owner),
    isMarkStale: () => state.isMarkStale,
    writeMark: () => writeMarkOf(state),
    close: () => file.close(),
    remove: () => file.remove(),
  };
}

function createState(
  file: SegmentFile,
  facts: SegmentFacts,
  { pending, reenqueued }: { pending: Range[]; reenqueued: Reenqueued[] },
): State {
  return {
    file,
    facts,
    enqueue: createEnqueueState(pending),
    reenqueued,
    index: createTimeIndex(),
    begunAt: 0,
    lastWrittenAt: 0,
    isWriting: false,
    isMarkStale: true,
  };
}

function measureAge(state: State, clock: Clock): void {
  const { firstAt, lastAt } = state.facts;
  state.begunAt = clock.elapsed() - Math.max(0, clock.now() - firstAt);
  state.lastWrittenAt = clock.elapsed() - Math.max(0, clock.now() - lastAt);
}

async function append(
  state: State,
  records: readonly Buffer[],
  { clock, at, isLate }: AppendOptions,
): Promise<Range[]> {
  state.isWriting = true;
  try {
    await state.file.append(records, state.facts.bytes);
  } finally {
    state.isWriting = false;
  }
  state.lastWrittenAt = clock.elapsed();
  return records.map(({ length }) => {
    const range = noteRecord(state, length, at);
    // The callers already got an error, so none of them settles the record. Enqueued twice, it does no harm.
    if (isLate()) state.enqueue.addPending(range);
    else state.enqueue.hold(range);
    return range;
  });
}

function noteRecord(state: State, length: number, at: number): Range {
  const { facts } = state;
  const range = { from: facts.bytes, to: facts.bytes + length, records: 1 };
  state.index.note(at, range.from, facts.records);
  facts.bytes = range.to;
  facts.provenBytes = range.to;
  facts.records += 1;
  facts.lastAt = at;
  state.isMarkStale = true;
  return range;
}

async function* read({ file, facts }: State, range: { from: number; to: number }): AsyncGenerator<Found> {
  yield* readRecords(await file.open(), { ...range, seed: facts.seed });
}

function settle(
  state: State,
  range: Range,
  { outcome, at }: { outcome: 'enqueued' | 'failed'; at: number | undefined },
): void {
  if (!state.enqueue.settle(range, outcome)) return;
  if (outcome === 'enqueued' && at !== undefined) {
    noteReenqueued(state.reenqueued, { from: range.from, to: range.to, at });
  }
  state.isMarkStale = true;
}

function giveUpHeld(state: State): void {
  state.enqueue.giveUp();
  state.isMarkStale = true;
}

function skip(state: State, part: { from: number; to: number }): void {
  state.enqueue.skip(part);
  state.isMarkStale = true;
}

function redoSince(state: State, sinceMs: number): void {
  const { enqueue, facts, index } = state;
  for (const { from, to, at } of state.reenqueued) {
    if (at >= sinceMs) enqueue.addPending({ from, to, records: estimateRecords(facts, to - from) });
  }
  if (facts.lastAt >= sinceMs) {
    const { from, records } = index.placeOf(sinceMs) ?? { from: SEGMENT_HEADER_BYTES, records: 0 };
    enqueue.addPending({ from, to: facts.bytes, records: Math.max(1, facts.records - records) });
  }
  state.isMarkStale = true;
}

function estimateRecords({ bytes, records }: SegmentFacts, part: number): number {
  return Math.max(1, Math.round((records * part) / Math.max(1, bytes - SEGMENT_HEADER_BYTES)));
}

async function cutAt(state: State, offset: number): Promise<void> {
  state.isMarkStale = true;
  state.facts.bytes = Math.max(SEGMENT_HEADER_BYTES, offset);
  await state.file.truncate(state.facts.bytes);
}

function takeMissingBytes(facts: SegmentFacts): number {
  const missing = Math.max(0, facts.provenBytes - facts.bytes);
  facts.provenBytes -= missing;
  return missing;
}

async function moveTo({ file, facts }: State, folder: string, owner: string): Promise<boolean> {
  if (!(await file.moveTo(folder))) return false;
  facts.owners = [...facts.owners, owner];
  return true;
}

async function writeMarkOf(state: State): Promise<void> {
  const { bytes: end, provenBytes: proven, records, owners, lastAt } = state.facts;
  const pending = state.enqueue.unsettled();
  const { reenqueued } = state;
  state.isMarkStale = false;
  try {
    await writeMark(state.file.path(), { end, proven, records, pending, reenqueued, owners: [...owners], lastAt });
  } catch (error) {
    state.isMarkStale = true;
    throw error;
  }
}
