import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { keepNote, type LossWatchOptions, type Watch } from './loss-watch-state.ts';
import { redoForPostgres, redoInherited, redoWhatIsMissing } from './redo-losses.ts';

/** How often a beat is left in Redis, in ms. */
const BEAT_MS = 1000;

/** How long `close` waits for each of the last two beats, in ms. */
const CLOSE_LIMIT_MS = 1000;

/** How many beats there are to one search for the oldest job. */
const BEATS_PER_SEARCH = 5;

/** Notices what Redis and Postgres have lost. */
export interface LossWatch {
  /** Leaves a beat at once, beside those of every second. Call it when Redis is reached, or reached again. Never rejects. */
  check(): Promise<void>;
  /** Tells whether a beat was tried on a Redis that takes writes. From the first beat on the watch notices what Redis loses. */
  hasBegun(): boolean;
  /** Leaves a last beat, where Redis takes it. Call it when this process enqueues nothing more. */
  close(): Promise<void>;
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
    carriedOut: new Set(),
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
  // Other shards may have been written to before this one was reached.
  else if (watch.writtenSince)
    await redoForPostgres(
      watch,
      requests.filter(({ at }) => at >= watch.startedAt),
    );
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
