import { MOST_COUNTED } from '@landline/store';
import { listedText } from '../bounded.ts';
import type { Attention } from '../contract/overview.ts';
import { kindWords } from '../operations/kind-words.ts';
import type { Reading } from './reading.ts';

/** How long a job may wait, in ms, until somebody should look. A worker takes one within milliseconds. */
const WAITING_MS = 60_000;

/** How much of a finding is shown, in bytes. */
const MOST_WORDS_BYTES = 300;

/** How long journals may hold events that Redis does not have, in ms. */
const JOURNAL_MS = 60_000;

/** How long after the last comparison with ElevenLabs somebody should look, in ms: that many times the workers' interval, and this long at least. */
const LATE_INTERVALS = 3;
const LEAST_LATE_MS = 3_600_000;

/** The interval where no worker has told it: the longest that RECONCILE_INTERVAL_MINUTES can be. */
const LONGEST_INTERVAL_MS = 24 * 3_600_000;

/** How old the newest test event may be, in ms: receivers send one each minute. */
const CANARY_MS = 300_000;

/**
 * Lists what a person should look at, errors first, each with the page where it is mended. What could not be read is one of these things, and
 * nothing is said of what depends on it.
 */
export function attentionOf(reading: Reading): Attention[] {
  const all = [...servers(reading), ...processes(reading), ...queue(reading), ...ledger(reading), ...provider(reading)];
  return [
    ...all.filter(({ severity }) => severity === 'error'),
    ...all.filter(({ severity }) => severity === 'warning'),
  ];
}

function error(code: string, text: string, href: string): Attention {
  return { code, severity: 'error', text, href };
}

function warning(code: string, text: string, href: string): Attention {
  return { code, severity: 'warning', text, href };
}

function servers({ redisFault, postgresFault }: Reading): Attention[] {
  return [
    ...(redisFault === null ? [] : [error('redis_away', redisFault, '/queues')]),
    ...(postgresFault === null ? [] : [error('postgres_away', postgresFault, '/events')]),
  ];
}

function processes({ processes: all, at, journalHeldSince }: Reading): Attention[] {
  if (all === null) return [];
  const told = (role: 'receiver' | 'worker') => all.filter((process) => process.role === role);
  const says = (gauge: string, value: number) => all.filter(({ gauges }) => gauges[gauge] === value).length;
  const found: Attention[] = [];
  if (told('receiver').length === 0) {
    found.push(error('no_receiver', 'No receiver has told of itself for 15 seconds: nothing is taken in.', '/queues'));
  }
  if (told('worker').length === 0) {
    found.push(error('no_worker', 'No worker has told of itself for 15 seconds: nothing is applied.', '/queues'));
  }
  if (says('journalUp', 0) > 0) {
    found.push(error('journal_down', 'A receiver cannot write its journal: see its disk and its log.', '/queues'));
  }
  if (says('spoolUp', 0) > 0) {
    found.push(error('spool_down', 'A receiver cannot take large bodies: see its disk and its log.', '/queues'));
  }
  if (says('databaseOpen', 0) > 0) {
    found.push(error('worker_waits', 'A worker waits for Postgres: events are kept in Redis meanwhile.', '/queues'));
  }
  if (journalHeldSince !== null && at - journalHeldSince >= JOURNAL_MS) {
    const text = `Journals have held events that Redis does not have for ${lasting(at - journalHeldSince)}.`;
    found.push(warning('journal_held', text, '/queues'));
  }
  return found;
}

function queue({ queue: queues, canarySentAt, at }: Reading): Attention[] {
  const found: Attention[] = [];
  const oldestSeconds = queues?.backlog.oldestSeconds ?? 0;
  if (oldestSeconds * 1000 > WAITING_MS) {
    const text = `The oldest event in the queue has waited for ${lasting(oldestSeconds * 1000)}.`;
    found.push(warning('queue_waits', text, '/queues'));
  }
  if (canarySentAt !== null && at - canarySentAt > CANARY_MS) {
    const text = `The newest test event that came through was sent ${lasting(at - canarySentAt)} ago.`;
    found.push(warning('canary_old', text, '/events?type=landline.canary'));
  }
  return found;
}

function ledger({ attention, at }: Reading): Attention[] {
  if (attention === null) return [];
  const { dead, deadSince, failedOperations, rejectedLately, recordingsToRemoveFailing } = attention;
  const found: Attention[] = [];
  if (dead > 0) {
    const oldest = dead === 1 ? 'it' : 'the oldest';
    const waiting = deadSince === null ? '' : `; ${oldest} has waited for ${lasting(at - deadSince)}`;
    found.push(error('dead_letters', `${many(dead, 'event')} could not be applied${waiting}.`, '/failures'));
  }
  for (const [cause, count] of Object.entries(rejectedLately)) {
    const text = `${many(count, 'request')} of the last day ${count === 1 ? 'was' : 'were'} refused: ${cause.replaceAll('_', ' ')}.`;
    found.push(warning('rejected', text, `/rejected?cause=${encodeURIComponent(cause)}`));
  }
  for (const { kind, count, id, message } of failedOperations) {
    const why = message === null ? '.' : `: ${listedText(message, MOST_WORDS_BYTES) ?? ''}`;
    const text = `${kindWords(kind)} failed ${timesOf(count)} within the last day, and has not ended well since${why}`;
    found.push(warning('failed_operations', text, `/operations?operation=${id}`));
  }
  if (recordingsToRemoveFailing > 0) {
    const text = `${many(recordingsToRemoveFailing, 'file')} of recordings cannot be removed from the storage: see the log of the workers.`;
    found.push(warning('recordings_stay', text, '/operations'));
  }
  return found;
}

function provider({ attention, at }: Reading): Attention[] {
  if (attention === null) return [];
  const { missing, providerFaults, reconciledAt, reconcileEveryMs } = attention;
  const found: Attention[] = [];
  const [first, ...others] = providerFaults;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` And ${many(others.length, 'fault')} more.`;
    found.push(
      error('provider_fault', `At ElevenLabs: ${listedText(first, MOST_WORDS_BYTES) ?? ''}${more}`, '/provider'),
    );
  }
  if (missing > 0) {
    const text = `${many(missing, 'conversation')} ${missing === 1 ? 'is' : 'are'} missing here, in whole or in part.`;
    found.push(warning('conversations_missing', text, '/provider'));
  }
  const lateMs = Math.max(LEAST_LATE_MS, LATE_INTERVALS * (reconcileEveryMs ?? LONGEST_INTERVAL_MS));
  if (reconciledAt !== null && at - reconciledAt > lateMs) {
    const text = `No comparison with ElevenLabs has ended well for ${lasting(at - reconciledAt)}.`;
    found.push(warning('reconcile_late', text, '/provider'));
  }
  return found;
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : `${count.toLocaleString('en')} times`;
}

function many(count: number, what: string): string {
  if (count > MOST_COUNTED) return `More than ${MOST_COUNTED.toLocaleString('en')} ${what}s`;
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** How long something lasts, as a person says it. */
function lasting(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} minute${minutes === 1 ? '' : 's'}`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}
