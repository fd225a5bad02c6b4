import type { NormalisedEvent } from '@landline/webhook/changes';
import { greatestClockOf } from '@landline/webhook/clock';
import type { Subject } from '../forget/subject.ts';
import { subjectsOf, type PersonErasure } from './compare-person.ts';
import type { ListedCall } from './reconcile.ts';

/** How far the clocks of a worker and of the database may be apart, in ms. An erasure that was done before the account was fetched was compared then. */
const CLOCKS_MS = 5 * 60_000;

/** How long after it was fetched an account is in Redis for certain, in ms. An erasure that is asked for later finds it there, or in the ledger. */
const ON_ITS_WAY_MS = 60 * 60_000;

/** An account that was fetched, and with which erasures it is compared. Times in unix milliseconds. */
export interface FetchedAccount {
  eventId: string;
  call: ListedCall;
  /** Whose it is, as erasures name them: one at least. */
  subjects: Subject[];
  /** Erasures count that were asked for since: the call's start; all time where nobody knows that. */
  since: number;
  /** Those count that were not done by then. */
  undoneAt: number;
  /** Those count that were asked for by then. */
  until: number;
}

/** An erasure with its times, in unix milliseconds. */
export interface TimedErasure extends PersonErasure {
  requestedAt: number;
  /** Null: it runs, or was cancelled, or has failed. */
  doneAt: number | null;
}

/** A comparison: whether an erasure is that of a subject, and of whose calls that decides. */
export interface Pair {
  erasure: TimedErasure;
  subject: Subject;
  calls: ListedCall[];
}

/** Reads whose account an event is; undefined where it was not fetched, or names nobody. */
export function fetchedOf(event: NormalisedEvent): FetchedAccount | undefined {
  const { receivedAt, origin } = event.entry.delivery;
  if (origin !== 'backfill' || event.outcome !== 'applied') return undefined;
  const { id, fields } = event.changes.conversation;
  const subjects = subjectsOf({
    userId: fields.user_id?.value ?? null,
    number: fields.external_number?.value ?? null,
  });
  if (subjects.length === 0) return undefined;
  const start = fields.started_at;
  const startedAt = start?.value ?? event.entry.eventAt;
  // Where the account has no start, only the event's time stands for it. One that is still to come is none.
  const isStart = start !== undefined && start.clock > greatestClockOf('live') && startedAt <= receivedAt;
  const call: ListedCall = {
    id,
    agentId: fields.agent_id?.value ?? null,
    status: fields.status?.value === 'failed' ? 'failed' : 'done',
    startedAt,
    durationSeconds: fields.duration_seconds?.value ?? 0,
    direction: fields.direction?.value ?? null,
    title: null,
    summary: null,
    callSuccessful: fields.call_successful?.value ?? null,
    endReason: null,
  };
  const undoneAt = receivedAt - CLOCKS_MS;
  const since = isStart ? startedAt : 0;
  return { eventId: event.entry.id, call, subjects, since, undoneAt, until: Number.POSITIVE_INFINITY };
}

/** Returns the account as one that died: from when it was in Redis, erasures have found it. */
export function asDead(account: FetchedAccount): FetchedAccount {
  return { ...account, until: account.undoneAt + CLOCKS_MS + ON_ITS_WAY_MS };
}

/** Lists what is to be compared: each erasure that counts with each of the subjects, once, however many calls the person has. */
export function pairsToCompare(accounts: readonly FetchedAccount[], erasures: readonly TimedErasure[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { subjects, call, ...bounds } of accounts) {
    for (const subject of subjects) {
      for (const erasure of erasures) {
        if (erasure.kind !== subject.by || !counts(erasure, bounds)) continue;
        const key = `${erasure.id} ${subject.value}`;
        const pair = pairs.get(key) ?? { erasure, subject, calls: [] };
        pairs.set(key, { ...pair, calls: [...pair.calls, call] });
      }
    }
  }
  return [...pairs.values()];
}

function counts(
  { requestedAt, doneAt }: TimedErasure,
  { since, undoneAt, until }: Pick<FetchedAccount, 'since' | 'undoneAt' | 'until'>,
): boolean {
  return requestedAt >= since && requestedAt <= until && (doneAt === null || doneAt >= undoneAt);
}
