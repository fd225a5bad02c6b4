import type { ReconcileRun } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';
import type { ComparedCall, ReconcileWindow } from './compare.ts';
import type { FetchOutcome } from './fetching.ts';
import type { Verdict } from './judge-call.ts';
import type { RunStore } from './retrying-store.ts';
import { addReason, nameCalls, readUnfetchable, type CallReasons } from './unfetchable.ts';

/** How often a run is written while it goes on, in ms. */
const WRITE_MS = 2_000;

/** How many characters of a message name calls of one kind. */
const NAMED_CHARACTERS = 350;

/** What a run has found so far: its row, the operation's progress, and why calls are not complete. */
export interface RunRecord {
  /** Counts calls of the provider's list. */
  listed(count: number): void;
  /** Counts a call whose verdict is final for this run. */
  judged(call: Pick<ComparedCall, 'id' | 'reason'>, verdict: Verdict): void;
  /** Counts calls that are to be fetched. */
  wanted(count: number): void;
  /** Counts a call that was to be fetched. */
  fetched(id: string, outcome: FetchOutcome): void;
  /** Writes the row and reports the progress, now and then. */
  write(): Promise<void>;
  /** Writes the end. Returns what to know of the run. */
  end(error: string | null): Promise<string>;
  /** The row of a run that somebody has cancelled. */
  cancelled(): ReconcileRun;
}

/** What a record is kept with. */
export interface RecordOptions {
  context: OperationContext;
  store: RunStore;
  window: ReconcileWindow;
}

/** Begins the record of a run. A worker that takes over begins anew: the row counts by the tables, so that a kill changes none of it. */
export function createRunRecord({ context, store, window }: RecordOptions): RunRecord {
  const { operation, report } = context;
  const startedAt = operation.startedAt ?? operation.createdAt;
  const counts = { listed: 0, complete: 0, waiting: 0, unfetchable: 0 };
  let progress = { total: operation.done + operation.failed, done: operation.done, failed: operation.failed };
  let unfetchable: CallReasons = readUnfetchable(operation.checkpoint);
  let unanswered: CallReasons = {};
  let came = { transcripts: 0, recordings: 0 };
  let writtenAt = -Infinity;

  function rowOf(end: Pick<ReconcileRun, 'finishedAt' | 'error'>): ReconcileRun {
    const { from: windowFrom, to: windowTo } = window;
    const fetched = { fetched: came.transcripts, fetchedRecordings: came.recordings };
    return { id: operation.id, windowFrom, windowTo, startedAt, ...end, ...counts, ...fetched };
  }

  async function write(end: Pick<ReconcileRun, 'finishedAt' | 'error'>): Promise<string> {
    writtenAt = performance.now();
    came = await store.fetchedSince(startedAt);
    await context.hold();
    await store.writeRun(rowOf(end));
    const message = describe({ ...came, unfetchable, unanswered });
    report({ ...progress, message, checkpoint: { unfetchable: { ...unfetchable } } });
    return message;
  }

  function noteReason({ id, reason }: { id: string; reason?: string | undefined }, verdict: Verdict): void {
    if (reason === undefined) return;
    if (verdict === 'unfetchable') unfetchable = addReason(unfetchable, id, reason);
    else unanswered = addReason(unanswered, id, reason);
  }

  function judged(call: Pick<ComparedCall, 'id' | 'reason'>, verdict: Verdict): void {
    if (verdict === 'complete') counts.complete += 1;
    else if (verdict === 'unfetchable') counts.unfetchable += 1;
    else if (verdict === 'open' || verdict === 'waiting') counts.waiting += 1;
    noteReason(call, verdict);
  }

  return {
    listed: (count) => void (counts.listed += count),
    judged,
    wanted: (count) => void (progress = { ...progress, total: progress.total + count }),
    fetched(id, outcome) {
      judged({ id, reason: outcome.reason }, outcome.verdict);
      const isFailed = ['missing', 'without_recording', 'unfetchable'].includes(outcome.verdict);
      progress = {
        ...progress,
        done: progress.done + (isFailed ? 0 : 1),
        failed: progress.failed + (isFailed ? 1 : 0),
      };
    },
    async write() {
      if (performance.now() > writtenAt + WRITE_MS) await write({ finishedAt: null, error: null });
    },
    end: (error) => write({ finishedAt: Date.now(), error }),
    cancelled: () => rowOf({ finishedAt: Date.now(), error: 'Somebody has cancelled the run.' }),
  };
}

interface Found {
  transcripts: number;
  recordings: number;
  unfetchable: CallReasons;
  unanswered: CallReasons;
}

/** Names calls by their ids: a message holds nothing else of them. */
function describe({ transcripts, recordings, unfetchable, unanswered }: Found): string {
  return [
    `Fetched ${transcripts} transcripts and ${recordings} recordings.`,
    ...named('Unfetchable', unfetchable),
    ...named('Still missing', unanswered),
  ].join(' ');
}

function named(what: string, reasons: CallReasons): string[] {
  return Object.keys(reasons).length === 0 ? [] : [`${what}: ${nameCalls(reasons, NAMED_CHARACTERS)}.`];
}
