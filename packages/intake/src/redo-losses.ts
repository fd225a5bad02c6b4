import type { InheritedNote } from '@landline/journal';
import type { RedoRequest } from '@landline/queue';
import { keepNote, noteSchema, type Note, type Watch } from './loss-watch-state.ts';

/** How long before a beat to begin, in ms. Redis may have answered a group after the beat, and notes are a moment old. */
const MARGIN_MS = 10_000;

/** By how much the clocks of receivers may differ, in ms. */
const AGE_MARGIN_MS = 60_000;

/** Makes pending again what Redis lacks, or may lack, of what this process enqueued. Returns whether there was any. */
export async function redoWhatIsMissing(watch: Watch, found: number | undefined, identity: string): Promise<boolean> {
  const { confirmed, journal } = watch;
  if (confirmed === undefined) {
    // No beat shows a loss that came before the first beat.
    const since = watch.writtenSince ? watch.writtenSince() : watch.startedAt;
    if (since === undefined) return false;
    await journal.redo(since);
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
export async function redoForPostgres(watch: Watch, requests: readonly RedoRequest[]): Promise<void> {
  const { carriedOut, note } = watch;
  for (const { id, sinceMs } of requests.filter((each) => !note.redone.includes(each.id))) {
    if (carriedOut.has(id)) continue;
    carriedOut.add(id);
    const journalSinceMs = watch.journal.oldestAt();
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await watch.journal.redo(sinceMs - AGE_MARGIN_MS);
    watch.onPostgresLoss({ sinceMs, journalSinceMs });
  }
}

/** Makes pending again what Redis or Postgres lacks of a process whose journal this one took over. */
export async function redoInherited(
  watch: Watch,
  inherited: InheritedNote,
  requests: readonly RedoRequest[],
): Promise<void> {
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
