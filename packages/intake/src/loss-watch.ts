import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { InheritedNote, Journal } from '@landline/journal';
import type { RedoRequest, Shard } from '@landline/queue';
import { z } from 'zod';

/** How often a beat is left in Redis, in ms. */
const BEAT_MS = 1000;

/** How long `close` waits for each of the last two beats, in ms. */
const CLOSE_LIMIT_MS = 1000;

/** How many beats there are to one search for the oldest job. */
const BEATS_PER_SEARCH = 5;

/** How long before a beat to begin, in ms. Redis may have answered a group after the beat, and notes are a moment old. */
const MARGIN_MS = 10_000;

/** By how much the clocks of receivers may differ, in ms. */
const AGE_MARGIN_MS = 60_000;

/** What a process notes for the process that takes its journal over. */
const noteSchema = z.object({
  /** The key of the beat in Redis. */
  key: z.string(),
  /** The last beat, in unix ms. */
  beat: z.number(),
  /** No job that is not done was enqueued before this, in unix ms. */
  oldest: z.number(),
  /** The process ended in order, and enqueued nothing after this beat. */
  isLast: z.boolean(),
  /** The ids of the requests after losses of Postgres that are carried out. */
  redone: z.array(z.string()).default([]),
});

type Note = z.infer<typeof noteSchema>;

/** What a watch for loss works with. */
export interface LossWatchOptions {
  beats: Shard['beats'];
  journal: Pick<Journal, 'redo' | 'keepNote' | 'inherited' | 'forget' | 'now' | 'oldestAt'>;
  /** Tells whether Redis takes writes. */
  isReady: () => boolean;
  /** Called when Redis has lost what was enqueued at or after `sinceMs` (unix ms), and it is pending in the journal again. */
  onLoss: (sinceMs: number) => void;
  /** Called when Postgres has lost what was enqueued at or after `sinceMs`, and it is pending in the journal again. */
  onPostgresLoss: (loss: PostgresLoss) => void;
}

/** A loss of Postgres, and how much of it the journal brings back. */
export interface PostgresLoss {
  /** Events that were enqueued at or after this may be missing, in unix ms; 0 means all events. */
  sinceMs: number;
  /** When the oldest group of this journal was written, in unix ms; undefined where the journal holds none. */
  journalSinceMs: number | undefined;
}

/** Notices what Redis and Postgres have lost. */
export interface LossWatch {
  /** Leaves a beat at once, beside those of every second. Call it when Redis is reached, or reached again. Never rejects. */
  check(): Promise<void>;
  /** Tells whether a beat was tried on a Redis that takes writes. From the first beat on the watch notices what Redis loses. */
  hasBegun(): boolean;
  /** Leaves a last beat, where Redis takes it. Call it when this process enqueues nothing more. */
  close(): Promise<void>;
}

interface Watch extends LossWatchOptions {
  /** The key of this process's beat. */
  readonly key: string;
  /** By the journal's clock. Beats are compared with times in the journal, and another clock may be set back between the two. */
  readonly startedAt: number;
  /** The last beat that Redis has certainly taken, and which Redis it was. */
  confirmed: number | undefined;
  identity: string;
  /** No job that is not done is older than this, in unix ms: of this process, and of those whose journals it took over. */
  oldest: number;
  /** What the last search for the oldest job found, in unix ms. */
  lastFound: number;
  note: Note;
  beatCount: number;
  hasBegun: boolean;
}

/**
 * Leaves a beat in Redis every second and reads the beat before. Redis loses its last writes (its file is cut, a replica lagged, a
 * backup is older) or all of them. So the beat that Redis has decides what to enqueue again:
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
    // Redis is away: its own watch reports that, and the next beat finds what this one would have found.
    beating ??= beatOnce(watch, isLast)
      .catch(() => undefined)
      .finally(() => (beating = undefined));
    return beating;
  };
  const timer = setInterval(() => void beat(), BEAT_MS).unref();
  return {
    check: () => beat(),
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
  // Read before the first beat. The first beat enqueues again what this process enqueued until then, and requests of that time concern
  // older events. Later requests are found by later beats.
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
  // The beat is read before it is overwritten: if the answer to the overwriting is lost, what was found must not be lost.
  let isRedone = watch.confirmed !== undefined && (await redoWhatIsMissing(watch, await beats.read(key), identity));
  const at = Math.max(journal.now(), (watch.confirmed ?? 0) + 1);
  // Written in any case. Else the next beat would find the old one, and enqueue everything again, for ever.
  const overwritten = await beats.leave(key, at);
  isRedone ||= await redoWhatIsMissing(watch, overwritten, identity);
  watch.confirmed = at;
  watch.identity = identity;
  if (isRedone || watch.beatCount++ % BEATS_PER_SEARCH === 0) await moveBound(watch);
  keepNote(watch, { beat: at, oldest: watch.oldest, isLast });
}

/** Moves `oldest` to the older of the last two findings, so that no single one moves it past a job that is not done. */
async function moveBound(watch: Watch): Promise<void> {
  // Jobs that come while Redis answers are not older than this.
  const askedAt = watch.journal.now();
  const found = await watch.beats.oldestJobAt();
  if (found === undefined) return;
  const bound = Math.min(found, askedAt);
  watch.oldest = Math.min(bound, watch.lastFound);
  watch.lastFound = bound;
}

/** Makes pending again what Redis lacks, or may lack, of what this process enqueued. Returns whether there was any. */
async function redoWhatIsMissing(watch: Watch, found: number | undefined, identity: string): Promise<boolean> {
  const { confirmed, journal } = watch;
  if (confirmed === undefined) {
    // A loss before the first beat cannot be seen by a beat.
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

/** Carries out each request once. It is noted afterwards, so that a request is repeated if the process dies in between. */
async function redoForPostgres(watch: Watch, requests: readonly RedoRequest[]): Promise<void> {
  for (const { sinceMs } of requests.filter(({ id }) => !watch.note.redone.includes(id))) {
    const journalSinceMs = watch.journal.oldestAt();
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await watch.journal.redo(sinceMs - AGE_MARGIN_MS);
    watch.onPostgresLoss({ sinceMs, journalSinceMs });
  }
}

/** Makes pending again what Redis or Postgres lacks of a process whose journal this one took over. */
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

/** Returns since when Redis lacks events of such a process. If it was killed, its note is older than its last events. */
async function lostSince({ beats }: Watch, { key, beat, oldest, isLast }: Note): Promise<number> {
  const found = await beats.read(key);
  if (found === undefined) return oldest - AGE_MARGIN_MS;
  return isLast && found >= beat ? Infinity : Math.min(found, beat) - MARGIN_MS;
}

function keepNote(watch: Watch, change: Partial<Note>): void {
  watch.note = { ...watch.note, ...change };
  watch.journal.keepNote(watch.note);
}
