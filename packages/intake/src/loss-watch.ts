import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { InheritedNote, Journal } from '@landline/journal';
import type { RedoRequest, Shard } from '@landline/queue';
import { z } from 'zod';

/** How often a beat is left in Redis, in ms. */
const BEAT_MS = 1000;

/** How long each of the last two beats is waited for, in ms. */
const CLOSE_LIMIT_MS = 1000;

/** How many beats there are between two looks at the oldest job. */
const BEATS_A_LOOK = 5;

/** What was enqueued shortly before a beat may have been answered after it, and notes are a moment old, in ms. */
const MARGIN_MS = 10_000;

/** By how much the clocks of receivers may differ, in ms. */
const AGE_MARGIN_MS = 60_000;

/** What is noted for the process that takes the journal over. */
const noteSchema = z.object({
  /** Of the beat in Redis. */
  key: z.string(),
  /** The last beat, in unix ms. */
  beat: z.number(),
  /** No job that is not done was enqueued before this, in unix ms. */
  oldest: z.number(),
  /** The process ended in order, and enqueued nothing after this beat. */
  isLast: z.boolean(),
  /** The ids of the requests to redo what Postgres lost that are done. */
  redone: z.array(z.string()).default([]),
});

type Note = z.infer<typeof noteSchema>;

/** What a watch for loss works with. */
export interface LossWatchOptions {
  beats: Shard['beats'];
  journal: Pick<Journal, 'redo' | 'keepNote' | 'inherited' | 'forget' | 'now' | 'oldestAt'>;
  /** Whether Redis takes writes. */
  isReady: () => boolean;
  /** Redis has lost what was enqueued at or after `sinceMs` (unix ms); it is pending in the journal again. */
  onLoss: (sinceMs: number) => void;
  /** Postgres has lost what was applied of what was enqueued at or after `sinceMs`; it is pending in the journal again. */
  onPostgresLoss: (loss: PostgresLoss) => void;
}

/** A part of the tables that is gone, and how much of it the journal brings back. */
export interface PostgresLoss {
  /** What was enqueued at or after this may be missing, in unix ms; 0: since ever. */
  sinceMs: number;
  /** When the oldest group was journalled that this journal holds, in unix ms; undefined where it holds none. */
  journalSinceMs: number | undefined;
}

/** Notices that Redis has lost what it took. */
export interface LossWatch {
  /** Leaves a beat at once, beside those of every second: Redis is there, or there again. Never rejects. */
  look(): Promise<void>;
  /** Whether a beat was tried on a Redis that takes writes: from the first on it is noticed what Redis loses. */
  hasBegun(): boolean;
  /** Leaves a last beat, where Redis takes it; call when nothing is enqueued any more. */
  close(): Promise<void>;
}

interface Watch extends LossWatchOptions {
  /** Of this process's beat. */
  readonly key: string;
  /** Of the journal's clock. Beats are held against the times in the journal: another clock may be set back between the two. */
  readonly startedAt: number;
  /** The last beat that Redis has certainly taken, and which Redis it was. */
  confirmed: number | undefined;
  identity: string;
  /** No job that is not done is older, of this process and of those that it inherited. */
  oldest: number;
  /** What the last look at the oldest job found. */
  lastFound: number;
  note: Note;
  beatCount: number;
  hasBegun: boolean;
}

/**
 * Leaves a beat in Redis every second and reads the one before. What Redis loses is always the end of what it was told (its file is cut,
 * a replica lagged, a backup is older) or all of it. So the beat that it has tells what to enqueue again:
 *
 * | Redis has                        | it has lost                | enqueued again is what was journalled since        |
 * | -------------------------------- | -------------------------- | -------------------------------------------------- |
 * | our last beat, and is the same   | nothing                    | (nothing)                                          |
 * | our last beat, and is another    | perhaps what came after it | ten seconds before that beat                       |
 * | an older beat of ours            | its end                    | ten seconds before that beat                       |
 * | no beat of ours                  | everything                 | a minute before the oldest job that was not done   |
 */
export function watchLoss(options: LossWatchOptions): LossWatch {
  const watch = begin(options);
  let beating: Promise<void> | undefined;
  const beat = (isLast = false): Promise<void> => {
    // Redis away: its watch tells, and the next beat finds what this one would have.
    beating ??= beatOnce(watch, isLast)
      .catch(() => undefined)
      .finally(() => (beating = undefined));
    return beating;
  };
  const timer = setInterval(() => void beat(), BEAT_MS).unref();
  return {
    look: () => beat(),
    hasBegun: () => watch.hasBegun,
    async close() {
      clearInterval(timer);
      // A disk that hangs is no reason not to end.
      await Promise.race([beating, delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
      await Promise.race([beat(true), delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
    },
  };
}

function begin(options: LossWatchOptions): Watch {
  const startedAt = options.journal.now();
  const key = `${options.beats.keyPrefix}${randomUUID()}`;
  const watch: Watch = {
    ...options,
    key,
    startedAt,
    confirmed: undefined,
    identity: '',
    oldest: startedAt,
    lastFound: startedAt,
    note: { key, beat: startedAt, oldest: startedAt, isLast: false, redone: [] },
    beatCount: 0,
    hasBegun: false,
  };
  keepNote(watch, {});
  return watch;
}

async function beatOnce(watch: Watch, isLast: boolean): Promise<void> {
  if (!watch.isReady()) return;
  // Before the first beat: what this process enqueued until then is enqueued again because of that beat, and what Postgres lost by then
  // is older. What is asked for later is later than this look.
  const requests = await watch.beats.redoRequests();
  const isFirst = watch.confirmed === undefined;
  await leaveBeat(watch, isLast).finally(() => (watch.hasBegun = true));
  if (!isFirst) await redoForPostgres(watch, requests);
  keepNote(watch, { redone: requests.map(({ id }) => id) });
  for (const inherited of watch.journal.inherited()) {
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await redoInherited(watch, inherited, requests);
  }
}

async function leaveBeat(watch: Watch, isLast: boolean): Promise<void> {
  const { beats, journal, key } = watch;
  const identity = await beats.identity();
  // Read before it is written: what was found must not be lost with an answer.
  let isRedone = watch.confirmed !== undefined && (await redoWhatIsMissing(watch, await beats.read(key), identity));
  const at = Math.max(journal.now(), (watch.confirmed ?? 0) + 1);
  // In any case: were it not written, the next beat would find the old one, and all of it be enqueued again, for ever.
  const overwritten = await beats.leave(key, at);
  isRedone ||= await redoWhatIsMissing(watch, overwritten, identity);
  watch.confirmed = at;
  watch.identity = identity;
  if (isRedone || watch.beatCount++ % BEATS_A_LOOK === 0) await lookAtOldest(watch);
  keepNote(watch, { beat: at, oldest: watch.oldest, isLast });
}

/** Moves the bound for what is not done: the older of the last two looks, so that no single look moves it past a job that is not done. */
async function lookAtOldest(watch: Watch): Promise<void> {
  // Between the look and now nothing older has come.
  const lookedAt = watch.journal.now();
  const found = await watch.beats.oldestJobAt();
  if (found === undefined) return;
  const bound = Math.min(found, lookedAt);
  watch.oldest = Math.min(bound, watch.lastFound);
  watch.lastFound = bound;
}

/** Returns whether there was something that Redis lacks, or may lack, of what this process enqueued. */
async function redoWhatIsMissing(watch: Watch, found: number | undefined, identity: string): Promise<boolean> {
  const { confirmed, journal } = watch;
  if (confirmed === undefined) {
    // What was enqueued before the first beat has none to be missed by.
    await journal.redo(watch.startedAt);
    return true;
  }
  const isLost = found === undefined || found < confirmed;
  if (!isLost && identity === watch.identity) return false;
  const since = found === undefined ? watch.oldest - AGE_MARGIN_MS : Math.min(found, confirmed) - MARGIN_MS;
  await journal.redo(since);
  if (isLost) watch.onLoss(since);
  return true;
}

/** Carries out each request once. The note of it comes after, so that a process that dies in between leaves it to be done again. */
async function redoForPostgres(watch: Watch, requests: readonly RedoRequest[]): Promise<void> {
  for (const { sinceMs } of requests.filter(({ id }) => !watch.note.redone.includes(id))) {
    const journalSinceMs = watch.journal.oldestAt();
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await watch.journal.redo(sinceMs - AGE_MARGIN_MS);
    watch.onPostgresLoss({ sinceMs, journalSinceMs });
  }
}

/** Makes pending again what Redis or Postgres lacks of what a process enqueued that is gone. */
async function redoInherited(watch: Watch, inherited: InheritedNote, requests: readonly RedoRequest[]): Promise<void> {
  const left = noteSchema.safeParse(inherited.note).data;
  const asked = requests
    .filter(({ id }) => left?.redone.includes(id) !== true)
    .map(({ sinceMs }) => sinceMs - AGE_MARGIN_MS);
  const since = left === undefined ? 0 : Math.min(await lostSince(watch, left), ...asked);
  if (since < Infinity) await watch.journal.redo(since, inherited.owner);
  watch.oldest = Math.min(watch.oldest, left?.oldest ?? Infinity);
  keepNote(watch, { oldest: watch.oldest });
  watch.journal.forget(inherited);
}

/** Returns since when Redis lacks what a process enqueued that is gone. Of one that was killed the last moments are in doubt: its note is older. */
async function lostSince({ beats }: Watch, { key, beat, oldest, isLast }: Note): Promise<number> {
  const found = await beats.read(key);
  if (found === undefined) return oldest - AGE_MARGIN_MS;
  return isLast && found >= beat ? Infinity : Math.min(found, beat) - MARGIN_MS;
}

function keepNote(watch: Watch, change: Partial<Note>): void {
  watch.note = { ...watch.note, ...change };
  watch.journal.keepNote(watch.note);
}
