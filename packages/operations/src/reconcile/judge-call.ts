import type { ListedConversation } from '@landline/provider';
import type { Completeness, KnownCall } from '@landline/store';

/** How long after its end a call is missed, in ms: its analysis, and the provider's repeats of a webhook, take less than 45 minutes. */
export const GRACE_MS = 45 * 60_000;

const DAY_MS = 86_400_000;

/**
 * What a comparison finds of a call. Beside those of `Completeness`:
 *
 * - `without_recording`: its account is here, and its audio is missing.
 * - `too_old`: CONVERSATION_RETENTION_DAYS are over, so it is forgotten or will be.
 */
export type Verdict = Completeness | 'without_recording' | 'too_old';

/** By what calls are judged. */
export interface Rules {
  /** Unix milliseconds. */
  now: number;
  /** Whether audio is kept: RECORDINGS_URL is set. */
  keepsAudio: boolean;
  /** Days after which conversations and recordings are forgotten by their age. Undefined: never. */
  keptDays: { conversations?: number | undefined; recordings?: number | undefined };
  /** Whether unfetchable calls that are listed are asked for once more: see `asksAgain`. */
  asksAgain?: boolean | undefined;
}

/**
 * Tells whether a run is the first of a day (UTC) that ends well. Such a run asks again for the unfetchable calls that the provider lists: a key may see
 * today what the one before did not. So a call that was deleted, and stays in the list, is asked for once a day.
 *
 * A good run of a clock that was ahead is of another day as well. It is the last good one only until the next ends well, so not every run is a first one.
 */
export function asksAgain(now: number, lastGood: { windowTo: number } | undefined): boolean {
  return lastGood === undefined || Math.floor(now / DAY_MS) !== Math.floor(lastGood.windowTo / DAY_MS);
}

/** Judges a call of the provider's list. Pure. */
export function judgeListed(
  listed: Pick<ListedConversation, 'status' | 'startedAt' | 'durationSeconds' | 'messageCount'>,
  known: KnownCall | undefined,
  rules: Rules,
): Verdict {
  const { status, startedAt, durationSeconds } = listed;
  if (known?.isErased === true) return 'erased';
  if (isTooOld(startedAt, rules)) return 'too_old';
  if (isRunning(status)) return 'open';
  // One that the provider did not know when it was asked for, and lists now, is asked for at once. One that came and is dead would be dead again.
  const isAgain =
    known?.completeness === 'unfetchable' && !known.isAccountDead && (!known.wasListed || rules.asksAgain === true);
  const found = isAgain ? lackOf(known, listed, rules) : judgeKnown(known, listed, rules);
  if (found === 'complete' || found === 'unfetchable') return found;
  return rules.now < startedAt + durationSeconds * 1000 + GRACE_MS ? 'waiting' : found;
}

/** What the list says of a call that is over. One that is not listed has no count. */
type OverCall = Pick<ListedConversation, 'startedAt'> & Partial<Pick<ListedConversation, 'messageCount'>>;

/** Judges what the tables have of a call that is over, however young it is. */
export function judgeKnown(known: KnownCall | undefined, call: OverCall, rules: Rules): Verdict {
  const found = lackOf(known, call, rules);
  return found !== 'complete' && known?.completeness === 'unfetchable' ? 'unfetchable' : found;
}

function lackOf(known: KnownCall | undefined, call: OverCall, rules: Rules): Verdict {
  if (known?.hasAccount !== true || areTurnsMissing(known, call)) return 'missing';
  return isAudioMissing(known, call.startedAt, rules) ? 'without_recording' : 'complete';
}

/**
 * Tells whether the turns of an account are to be asked for: it came without, and the list counts some. Where nobody counts them, only a call stays missing
 * or unfetchable that was so before.
 */
function areTurnsMissing({ mayLackTurns, completeness }: KnownCall, { messageCount = null }: OverCall): boolean {
  if (!mayLackTurns) return false;
  return messageCount === null ? completeness === 'missing' || completeness === 'unfetchable' : messageCount > 0;
}

/** Tells whether a call's audio is to be asked for. Where its account says nothing about audio, that happens once. */
export function isAudioMissing(known: KnownCall, startedAt: number, { now, keepsAudio, keptDays }: Rules): boolean {
  if (!keepsAudio || known.hasRecording || known.isAudioToGo || known.saysAudio === false) return false;
  if (isOlder(startedAt, keptDays.recordings, now)) return false;
  return known.saysAudio === true || known.completeness !== 'complete';
}

/** Tells whether a call is older than conversations are kept. */
export function isTooOld(startedAt: number, { now, keptDays }: Rules): boolean {
  return isOlder(startedAt, keptDays.conversations, now);
}

/** Tells whether the provider is not through with a call. */
export function isRunning(status: ListedConversation['status']): boolean {
  return status !== 'done' && status !== 'failed';
}

function isOlder(startedAt: number, days: number | undefined, now: number): boolean {
  return days !== undefined && startedAt < now - days * DAY_MS;
}

/** Returns the completeness that the tables have of a verdict; undefined where it is not written. */
export function completenessOf(verdict: Verdict): Completeness | undefined {
  if (verdict === 'erased' || verdict === 'too_old') return undefined;
  return verdict === 'without_recording' ? 'missing' : verdict;
}
