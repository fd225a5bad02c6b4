import type { ReconcileRun } from '@landline/store';
import { counted } from '../counted.ts';
import type { OperationContext } from '../operation-kind.ts';
import type { ComparedCall } from './compare.ts';
import type { FetchOutcome } from './fetching.ts';
import type { Verdict } from './judge-call.ts';
import type { RunStore } from './retrying-store.ts';
import { createRunProgress } from './run-progress.ts';
import { createNamedCalls, type NamedCalls } from './named-calls.ts';
import type { ReconcileWindow } from './window.ts';

/** How often a run is written while it goes on, in ms. */
const WRITE_MS = 2_000;

/** How many characters of a message name calls of one kind. */
const NAMED_CHARACTERS = 350;

/** What a run has found so far: its row, the operation's progress, and why calls are not complete. */
export interface RunRecord {
  /** Counts calls of the provider's list. */
  listed(count: number): void;
  /** Counts items of the list that cannot be read. */
  unreadable(count: number): void;
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
  const progress = createRunProgress(operation);
  const unfetchable = createNamedCalls(NAMED_CHARACTERS);
  const unanswered = createNamedCalls(NAMED_CHARACTERS);
  let leftOut = 0;
  let came = { transcripts: 0, recordings: 0, complete: 0 };
  let writtenAt = -Infinity;

  function rowOf(end: Pick<ReconcileRun, 'finishedAt' | 'error'>): ReconcileRun {
    const { from: windowFrom, to: windowTo } = window;
    const fetched = { fetched: came.transcripts, fetchedRecordings: came.recordings };
    return { id: operation.id, windowFrom, windowTo, startedAt, ...end, ...counts, ...fetched };
  }

  async function write(end: Pick<ReconcileRun, 'finishedAt' | 'error'>): Promise<string> {
    came = await store.fetchedSince(startedAt);
    await context.hold();
    await store.writeRun(rowOf(end));
    const message = describe({ ...came, leftOut, unfetchable, unanswered });
    report({ ...progress.counts(came.complete), message });
    // From the end on: to count what was fetched may take as long as the pause, where that is much.
    writtenAt = performance.now();
    return message;
  }

  function noteReason({ id, reason }: { id: string; reason?: string | undefined }, verdict: Verdict): void {
    if (reason === undefined) return;
    (verdict === 'unfetchable' ? unfetchable : unanswered).add(id, reason);
  }

  function judged(call: Pick<ComparedCall, 'id' | 'reason'>, verdict: Verdict): void {
    if (verdict === 'complete') counts.complete += 1;
    else if (verdict === 'unfetchable') counts.unfetchable += 1;
    else if (verdict === 'open' || verdict === 'waiting') counts.waiting += 1;
    noteReason(call, verdict);
  }

  return {
    listed: (count) => void (counts.listed += count),
    unreadable: (count) => void (leftOut += count),
    judged,
    wanted: (count) => progress.wanted(count),
    fetched(id, outcome) {
      const { reason, verdict, isUnasked } = outcome;
      // Of what was not asked for, the run's error says why.
      judged({ id, reason: isUnasked === true ? undefined : reason }, verdict);
      progress.fetched(outcome);
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
  /** Items of the list. */
  leftOut: number;
  unfetchable: NamedCalls;
  unanswered: NamedCalls;
}

/** Names calls by their ids: a message holds nothing else of them. */
function describe({ transcripts, recordings, leftOut, unfetchable, unanswered }: Found): string {
  return [
    `Fetched ${counted(transcripts, 'transcript')} and ${counted(recordings, 'recording')}.`,
    ...named('Unfetchable', unfetchable),
    ...named('Still missing', unanswered),
    ...(leftOut === 0 ? [] : [`Left out of ElevenLabs' list: ${leftOut} that cannot be read.`]),
  ].join(' ');
}

function named(what: string, calls: NamedCalls): string[] {
  const text = calls.text();
  return text === undefined ? [] : [`${what}: ${text}.`];
}
