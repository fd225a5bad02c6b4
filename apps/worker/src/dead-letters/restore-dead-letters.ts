import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import type { DeadLetters } from '@landline/queue';
import type { DeadListing, DeadPosition, Store } from '@landline/store';
import { letterOf } from './letter-of.ts';

/** How often it is asked whether a comparison is due, in milliseconds: how late it is noticed that Redis was emptied. */
const ASK_MS = 5_000;

/** After failures in a row it is asked as many times less often, at most: each comparison reads the ledger from its first dead event. */
const MOST_PAUSES = 12;

/** Dead events that are compared at once. */
const PAGE_EVENTS = 500;

/** Most letters, and most bytes of bodies, that are read and enqueued at once; a larger one is enqueued alone. */
const BATCH_LETTERS = 100;
const BATCH_BYTES = 8 * 1024 * 1024;

/** How long what is under way is waited for by `stop`, in milliseconds; a letter that is enqueued twice is there once. */
const STOP_MS = 1_000;

/** What letters are restored with. */
export interface RestoreContext {
  store: Pick<Store, 'listDead' | 'readDead'>;
  deadLetters: Pick<DeadLetters, 'add' | 'missing' | 'hasRoom'>;
  check: DeadLetters['check'];
  logger: Logger;
  /** Whether the worker waits for the database, and need not ask it. */
  isWaiting: () => boolean;
  /** Returns from when on bodies are kept, in unix ms; by default all are. Retention has removed the letters of earlier events, with their bodies. */
  from?: (() => number) | undefined;
  askMs?: number;
}

/** Restores letters until it is stopped. */
export interface DeadLetterRestoring {
  /** Begins no more; resolves when nothing is under way, within a second. */
  stop(): Promise<void>;
}

/**
 * Keeps the dead-letter queue as the ledger says: for each event that is dead there and has no letter, one is enqueued. The two are compared at the start,
 * every hour, and as soon as Redis is found emptied. What a retry has applied is dead no longer, and does not come back.
 */
export function restoreDeadLetters(context: RestoreContext): DeadLetterRestoring {
  const leaving = new AbortController();
  const { askMs = ASK_MS } = context;
  let logged = '';

  async function run(): Promise<void> {
    let pauses = 1;
    while (!leaving.signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one check after the other
        if (!context.isWaiting()) await checkOnce(context, leaving.signal);
        logged = '';
        pauses = 1;
      } catch (error) {
        logOnce(String(error));
        pauses = Math.min(pauses * 2, MOST_PAUSES);
      }
      // oxlint-disable-next-line no-await-in-loop -- a check every few seconds
      await sleep(askMs * pauses, undefined, { signal: leaving.signal, ref: false }).catch(() => undefined);
    }
  }

  function logOnce(reason: string): void {
    if (reason !== logged && !leaving.signal.aborted) {
      context.logger.warn(`Dead letters are not compared with the ledger, trying again: ${reason}`);
    }
    logged = reason;
  }

  const running = run();
  return {
    async stop() {
      leaving.abort();
      await Promise.race([running, sleep(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** Less than any other uuid. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

const GONE =
  'Redis had lost dead letters whose bodies are gone from the ledger as well: their days were dropped. They stay dead, and nothing can apply them';

async function checkOnce(context: RestoreContext, signal: AbortSignal): Promise<void> {
  const { check, logger } = context;
  if (!(await check.claim())) return;
  try {
    const { letters, gone } = await restoreMissing(context, signal);
    if (letters > 0) logger.warn({ letters }, 'Redis had lost dead letters; they are laid again, from the ledger');
    if (gone.events > 0) logger.error(gone, GONE);
    if (!signal.aborted) return await check.finish();
  } catch (error) {
    await check.fail().catch(() => undefined);
    throw error;
  }
  await check.fail();
}

/** What came of a comparison. */
interface Restored {
  /** How many were enqueued. */
  letters: number;
  /** Dead events that have neither a letter nor a body: how many, and the first of them. */
  gone: { events: number; first?: string };
}

/** Goes through all dead events whose bodies are kept, page by page. */
async function restoreMissing(context: RestoreContext, signal: AbortSignal): Promise<Restored> {
  const { store, deadLetters, check, from } = context;
  const restored: Restored = { letters: 0, gone: { events: 0 } };
  let after: DeadPosition | undefined = from && { receivedAt: from(), id: NO_ID };
  while (!signal.aborted) {
    // oxlint-disable no-await-in-loop -- page after page, so that memory is bounded
    const page = await store.listDead({ after, limit: PAGE_EVENTS });
    after = page.at(-1);
    if (after === undefined) break;
    const missing = new Set(await deadLetters.missing(page.map(({ id }) => id)));
    for (const ids of batchesOf(page.filter(({ id }) => missing.has(id)))) {
      if (signal.aborted) break;
      const { letters, gone } = await enqueueBatch(ids, context);
      restored.letters += letters;
      restored.gone.events += gone.length;
      if (gone[0] !== undefined) restored.gone.first ??= gone[0];
    }
    if (!(await check.extend())) throw new Error('Redis was emptied meanwhile.');
    // oxlint-enable no-await-in-loop
  }
  return restored;
}

/** Ids of as many events as are read at once, and at least one. */
function batchesOf(page: readonly DeadListing[]): string[][] {
  const batches: { ids: string[]; bytes: number }[] = [];
  for (const { id, bytes } of page) {
    const last = batches.at(-1);
    if (last && last.ids.length < BATCH_LETTERS && last.bytes + bytes <= BATCH_BYTES) {
      last.ids.push(id);
      last.bytes += bytes;
    } else batches.push({ ids: [id], bytes });
  }
  return batches.map(({ ids }) => ids);
}

/**
 * Enqueues one batch, and rests for as long as that took: events on their way have half of Redis and Postgres, or more.
 *
 * @returns  How many it enqueued, and the ids of those whose bodies are gone.
 */
async function enqueueBatch(
  ids: string[],
  { store, deadLetters, check }: RestoreContext,
): Promise<{ letters: number; gone: string[] }> {
  const begun = performance.now();
  if (!(await deadLetters.hasRoom())) throw new Error('Redis has no room for them beside the events.');
  // Read after it was found that there is no letter: what a retry has applied by then is not among them.
  const records = await store.readDead(ids);
  const letters = records.flatMap(letterOf);
  await deadLetters.add(letters);
  await check.extend();
  await sleep(performance.now() - begun);
  return { letters: letters.length, gone: records.flatMap(({ id, delivery }) => (delivery === undefined ? [id] : [])) };
}
