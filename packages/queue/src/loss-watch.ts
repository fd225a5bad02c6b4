import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { GroupJournal, InheritedNote } from './group-journal.ts';
import { readInfo } from './read-info.ts';
import { readRedoRequests, type RedoRequest } from './redo-requests.ts';

/** How often a beat is left in Redis, in ms. */
const BEAT_MS = 1000;

/** How long each of the last two beats is waited for, in ms. */
const CLOSE_LIMIT_MS = 1000;

/** How many beats there are between two looks at the oldest job. */
const BEATS_A_LOOK = 5;

/** How long Redis keeps the last beat of a process, in seconds; one that is gone for longer counts as lost, which does no harm. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** What was enqueued shortly before a beat may have been answered after it, and notes are a moment old, in ms. */
const MARGIN_MS = 10_000;

/** By how much the clocks of receivers may differ, in ms. */
const AGE_MARGIN_MS = 60_000;

/** What is noted for whoever takes the journal over; `isLast`: the process ended in order, and nothing came after this beat. */
const noteSchema = z.object({
  key: z.string(),
  beat: z.number(),
  oldest: z.number(),
  isLast: z.boolean(),
  /** The ids of the requests to redo what Postgres lost that are done. */
  redone: z.array(z.string()).default([]),
});

type Note = z.infer<typeof noteSchema>;

export interface LossWatchOptions {
  connection: Redis;
  /** Leads the keys. */
  prefix: string;
  journal: Pick<GroupJournal, 'redo' | 'keepNote' | 'inherited' | 'forget' | 'now' | 'oldestAt'>;
  /** Whether Redis takes writes. */
  isReady: () => boolean;
  /** See `oldestJobAt`. */
  oldestJobAt: () => Promise<number | undefined>;
  /** Redis has lost what was enqueued at or after `sinceMs`; it is pending in the journal again. */
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
  /** Looks at once, beside the looks of every second: Redis is there, or there again. Never rejects. */
  look(): Promise<void>;
  /** Whether a beat was tried on a Redis that takes writes: from the first on it is noticed what Redis loses. */
  hasBegun(): boolean;
  /** Leaves a last beat, where Redis takes it; call when nothing is enqueued any more. */
  close(): Promise<void>;
}

/**
 * Leaves a beat in Redis every second and reads the one before. What Redis loses is always the end of what it was told (its file is cut, a
 * replica lagged, a backup is older) or all of it. So the beat that is found tells from when on groups must be enqueued again; none at all,
 * that it was emptied: then from the oldest job on that was not done. A Redis that is not the one of the last beat (started again, another
 * one promoted) may lack what came after it though the beat is there: that is enqueued again as well.
 */
export function watchLoss(options: LossWatchOptions): LossWatch {
  const { connection, prefix, journal, isReady, onLoss, onPostgresLoss } = options;
  const key = `${prefix}:beat:${randomUUID()}`;
  // Beats are held against the times in the journal, so they are of its clock: another may be set back between the two.
  const startedAt = journal.now();
  /** The last beat that Redis has certainly taken. */
  let confirmed: number | undefined;
  /** No job that is not done is older, of this process and of those that it inherited. */
  let oldest = startedAt;
  /** What the last look at the oldest job found. */
  let lastFound = startedAt;
  let note: Note = { key, beat: startedAt, oldest, isLast: false, redone: [] };
  let lastIdentity = '';
  let connections = 0;
  let beats = 0;
  let hasBegun = false;
  let beating: Promise<void> | undefined;

  function beat(isLast = false): Promise<void> {
    // Redis away: its watch tells, and the next beat finds what this one would have.
    beating ??= beatOnce(isLast)
      .catch(() => undefined)
      .finally(() => (beating = undefined));
    return beating;
  }

  async function beatOnce(isLast: boolean): Promise<void> {
    if (!isReady()) return;
    // Before the first beat: what this process enqueued until then is enqueued again because of that beat, and what Postgres lost by then
    // is older. What is asked for later is later than this look.
    const requests = await readRedoRequests(connection, prefix);
    const isFirst = confirmed === undefined;
    await leaveBeat(isLast).finally(() => (hasBegun = true));
    if (!isFirst) await redoForPostgres(requests);
    keepNote({ redone: requests.map(({ id }) => id) });
    for (const inherited of journal.inherited()) {
      // oxlint-disable-next-line no-await-in-loop -- seldom any
      await redoInherited(inherited, requests);
    }
  }

  /** Each request once; the note of it comes after, so that a process that dies in between leaves it to be done again. */
  async function redoForPostgres(requests: readonly RedoRequest[]): Promise<void> {
    for (const { sinceMs } of requests.filter(({ id }) => !note.redone.includes(id))) {
      const journalSinceMs = journal.oldestAt();
      // oxlint-disable-next-line no-await-in-loop -- seldom any
      await journal.redo(sinceMs - AGE_MARGIN_MS);
      onPostgresLoss({ sinceMs, journalSinceMs });
    }
  }

  async function redoInherited(inherited: InheritedNote, requests: readonly RedoRequest[]): Promise<void> {
    const left = noteSchema.safeParse(inherited.note).data;
    const asked = requests
      .filter(({ id }) => left?.redone.includes(id) !== true)
      .map(({ sinceMs }) => sinceMs - AGE_MARGIN_MS);
    const since = left === undefined ? 0 : Math.min(await lostSince(left), ...asked);
    if (since < Infinity) await journal.redo(since, inherited.owner);
    oldest = Math.min(oldest, left?.oldest ?? Infinity);
    keepNote({ oldest });
    journal.forget(inherited);
  }

  async function leaveBeat(isLast: boolean): Promise<void> {
    const identity = await identityOf(connection, connections);
    // Read before it is written: what was found must not be lost with an answer.
    let isRedone = confirmed !== undefined && (await redoWhatIsMissing(await connection.get(key), identity));
    const at = Math.max(journal.now(), (confirmed ?? 0) + 1);
    // In any case: were it not written, the next beat would find the old one, and all of it be enqueued again, for ever.
    const overwritten = await connection.getset(key, at);
    isRedone ||= await redoWhatIsMissing(overwritten, identity);
    confirmed = at;
    lastIdentity = identity;
    await connection.expire(key, KEPT_SECONDS);
    if (isRedone || beats++ % BEATS_A_LOOK === 0) {
      // Between the look and now nothing older has come.
      const lookedAt = journal.now();
      const found = await options.oldestJobAt();
      if (found !== undefined) noteOldest(Math.min(found, lookedAt));
    }
    keepNote({ beat: at, oldest, isLast });
  }

  /** The bound is the older of the last two looks, so that no single look moves it past a job that is not done. */
  function noteOldest(found: number): void {
    oldest = Math.min(found, lastFound);
    lastFound = found;
  }

  function keepNote(change: Partial<Note>): void {
    note = { ...note, ...change };
    journal.keepNote(note);
  }

  /** Whether there was something that Redis lacks, or may lack, of what this process enqueued. */
  async function redoWhatIsMissing(found: string | null, identity: string): Promise<boolean> {
    if (confirmed === undefined) {
      // What was enqueued before the first beat has none to be missed by.
      await journal.redo(startedAt);
      return true;
    }
    const isLost = found === null || Number(found) < confirmed;
    if (!isLost && identity === lastIdentity) return false;
    const since = found === null ? oldest - AGE_MARGIN_MS : Math.min(Number(found), confirmed) - MARGIN_MS;
    await journal.redo(since);
    if (isLost) onLoss(since);
    return true;
  }

  /** Since when Redis lacks what a process enqueued that is gone. Of one that was killed the last moments are in doubt: its note is older. */
  async function lostSince({ key: left, beat: noted, oldest: open, isLast }: Note): Promise<number> {
    const found = await connection.get(left);
    if (found === null) return open - AGE_MARGIN_MS;
    return isLast && Number(found) >= noted ? Infinity : Math.min(Number(found), noted) - MARGIN_MS;
  }

  connection.on('ready', () => connections++);
  keepNote({});
  const timer = setInterval(() => void beat(), BEAT_MS).unref();
  return {
    look: () => beat(),
    hasBegun: () => hasBegun,
    async close() {
      clearInterval(timer);
      // A disk that hangs is no reason not to end.
      await Promise.race([beating, delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
      await Promise.race([beat(true), delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
    },
  };
}

/** Which Redis this is: another after a restart or a promotion. One that does not say is another at every connection. */
async function identityOf(connection: Redis, connections: number): Promise<string> {
  const server = await readInfo(connection, 'server');
  const replication = await readInfo(connection, 'replication');
  const id = [server.get('run_id'), replication.get('master_replid')].filter((each) => each !== undefined);
  return id.length > 0 ? id.join(' ') : `connection ${connections}`;
}
