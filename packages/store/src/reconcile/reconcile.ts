/**
 * How complete a conversation is, as the last comparison with the provider has found it:
 *
 * - `open`: the call goes on, or the provider is not through with it.
 * - `waiting`: the call is over, and its webhooks may still come.
 * - `complete`: its account is here, and its audio where it has any and audio is kept.
 * - `missing`: something of it never came, and was not fetched yet.
 * - `unfetchable`: something of it never came, and the provider does not have it any more, or what it gives cannot be applied.
 * - `erased`: it was forgotten here. The provider is not asked for it.
 */
export const COMPLETENESS = ['open', 'waiting', 'complete', 'missing', 'unfetchable', 'erased'] as const;

/** One of `COMPLETENESS`. */
export type Completeness = (typeof COMPLETENESS)[number];

/** A call as the provider's list has it: packages/provider's `ListedConversation`. Times in unix milliseconds. */
export interface ListedCall {
  id: string;
  agentId: string | null;
  status: 'initiated' | 'in-progress' | 'processing' | 'done' | 'failed';
  startedAt: number;
  /** False: `startedAt` is only when the call was first seen. By default true. */
  isStartKnown?: boolean | undefined;
  durationSeconds: number;
  direction: string | null;
  title: string | null;
  summary: string | null;
  callSuccessful: string | null;
  endReason: string | null;
}

/** What the tables have of a conversation. Times in unix milliseconds. */
export interface KnownCall {
  id: string;
  /** Null: it was never compared. */
  completeness: Completeness | null;
  /**
   * Whether its account is here: an applied post_call_transcription or call_initiation_failure in the ledger, a transcript in the tables, or `complete`
   * from an earlier comparison. A post_call_transcription_otel is none: it has no turns. An account without turns is one: see `mayLackTurns`.
   */
  hasAccount: boolean;
  /**
   * Whether its post_call_transcription came without turns, and the provider may have some: a workspace can leave them out of its webhooks. Not where the
   * provider's own account was applied, a comparison has found it `complete`, the call never began, or its transcript is to be deleted by now.
   */
  mayLackTurns: boolean;
  /** Whether an account came that is dead now, and none was applied that may have all turns. */
  isAccountDead: boolean;
  /** Whether audio is here, or was here until it was deleted. Audio that came while none was kept does not count. */
  hasRecording: boolean;
  /** What the account says about audio; null: nothing. */
  saysAudio: boolean | null;
  /** Whether the account's own order to delete the audio is due. */
  isAudioToGo: boolean;
  isErased: boolean;
  /** Whether the provider's list, or an account, has said how the call went: then the list had it already. */
  wasListed: boolean;
  startedAt: number;
  endedAt: number | null;
}

/** A conversation that is `unfetchable`. */
export interface UnfetchableCall {
  id: string;
  /** Why, as it was found; null where nobody knows. */
  reason: string | null;
}

/** Counts of a run, as the table `reconciliations` has them. */
export interface RunCounts {
  listed: number;
  complete: number;
  /** Running, or too young to be missed. */
  waiting: number;
  /** Transcripts that were fetched. */
  fetched: number;
  fetchedRecordings: number;
  unfetchable: number;
}

/** A row of `reconciliations`. Times in unix milliseconds. */
export interface ReconcileRun extends RunCounts {
  /** That of its operation. */
  id: string;
  windowFrom: number;
  windowTo: number;
  startedAt: number;
  finishedAt: number | null;
  error: string | null;
}

/** What a comparison with the provider works with, each method in one transaction. Every method that fails throws a `StoreError`. */
export interface ReconcileStore {
  /** What the tables have of these conversations; one without a row is left out. A thousand at most. */
  known(ids: readonly string[]): Promise<Map<string, KnownCall>>;
  /**
   * Lists, by their ids, conversations that were found not to be through: open, waiting or missing ones, whenever they began, and unfetchable ones that have
   * changed since a time and whose account is here now: what was dead was mended, or a webhook came late.
   */
  unfinished(page: { since: number; after?: string | undefined; limit: number }): Promise<KnownCall[]>;
  /** Lists, by their beginning, conversations that were never compared and began since a time. @param page  `after` is the last one of the page before. */
  neverCompared(page: {
    since: number;
    after?: Pick<KnownCall, 'startedAt' | 'id'> | undefined;
    limit: number;
  }): Promise<KnownCall[]>;
  /** Lists all conversations that are unfetchable, by their ids. */
  unfetchable(page: { after?: string | undefined; limit: number }): Promise<UnfetchableCall[]>;
  /**
   * Writes what the list says of calls of which no account is here: rows that any event outranks. An erased one stays as it is. Title, summary and reason of the
   * end are left out where any person was erased since the call began.
   */
  noteListed(calls: readonly ListedCall[]): Promise<void>;
  /**
   * Writes how complete conversations are, and why those that are `missing` or `unfetchable` are so, where that has changed. Of a reason 200 characters are kept. One that is
   * unfetchable still keeps its reason where there is no other. An erased one stays `erased`; an id without a row is left out.
   */
  judge(verdicts: ReadonlyMap<string, Completeness>, reasons?: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Makes rows that are nothing but the mark of an erased conversation.
   *
   * @param said  What the list, or an account, says of some of them: id, agent, direction, times, status and whether it was successful stay of that.
   * @returns     The ledger ids of the events that were dead: their dead letters are to go.
   */
  markErased(ids: readonly string[], said?: readonly ListedCall[]): Promise<string[]>;
  /** Tells whether a person was erased at a time or later, by user id or number; undefined where more were erased since than can be compared. Slow by intent: see `hashSubject`. */
  wasErasedSince(person: { userId: string | null; number: string | null }, since: number): Promise<boolean | undefined>;
  /** For how many conversations a transcript, and audio, was fetched from the provider's API since a time by the database's clock, and applied, and how many of these are complete. */
  fetchedSince(since: number): Promise<{ transcripts: number; recordings: number; complete: number }>;
  /** Asks for a run of the schedule, unless one waits or runs, or the schedule has asked for one within `leastMs`. Returns whether it did. */
  requestRun(filter: Readonly<Record<string, string>>, leastMs: number): Promise<boolean>;
  /** Writes a run: makes its row, or replaces it. With its end, runs that ended 90 days ago and more go. */
  writeRun(run: ReconcileRun): Promise<void>;
  /** The run of an operation; undefined where there is none. @param id  A uuid. */
  run(id: string): Promise<ReconcileRun | undefined>;
  /** The newest run of the schedule's window that ended well; undefined where there is none. */
  lastGoodRun(): Promise<ReconcileRun | undefined>;
  /** The newest of these that listed a whole window of so many hours at least, and not what began since the run before; undefined where there is none. */
  lastWholeRun(hours: number): Promise<ReconcileRun | undefined>;
  /** Where the earliest window of the schedule's runs began, good or not; undefined where there is no run. Unix milliseconds. */
  oldestWindow(): Promise<number | undefined>;
  /** When the first run began of those that are kept, of whatever window and end; undefined where there is none. Unix milliseconds. */
  firstRunAt(): Promise<number | undefined>;
  /** How many seconds ago the newest run ended well, or else one was first asked for; undefined where none ever was. */
  runAge(): Promise<number | undefined>;
  /** How many conversations are of each kind now; `open` and `waiting` as the last run found them. Complete, erased and never compared ones are not counted. */
  counts(): Promise<Record<'open' | 'waiting' | 'missing' | 'unfetchable', number>>;
  /** Marks a look at the provider's side as begun by the caller, unless one began within `leastMs` by the database's clock. Returns whether it did. */
  beginProviderCheck(leastMs: number): Promise<boolean>;
  /** Keeps what a look at the provider's side has found: JSON, one for the database. */
  saveProviderCheck(check: unknown): Promise<void>;
  /** The newest of these, with the time at which it was saved, in unix milliseconds; undefined where there is none. */
  readProviderCheck(): Promise<{ savedAt: number; check: unknown } | undefined>;
  /**
   * How the accounts of complete calls came that began between two times, and ended since the first run began; the newest call first, of the two hundred newest
   * calls. For whether the webhook works.
   */
  arrivals(from: number, to: number): Promise<('webhook' | 'fetched')[]>;
  /** Requests that were answered 401 between two times, the newest first; twenty at most. For what we answered when the provider saw a failure. */
  refusedBetween(
    from: number,
    to: number,
  ): Promise<{ receivedAt: number; code: string; cause: string; advice: string }[]>;
}
