import type { FetchedConversation } from '@landline/provider';
import type { Answer } from './ask-about-call.ts';
import type { ComparedCall } from './compare.ts';
import type { FetchOutcome } from './fetching.ts';

/** Returns when a call ended, in unix milliseconds: as its account says, else as the list or the tables do; its beginning where nobody says. */
export function endOf(
  { listed, known, startedAt }: Pick<ComparedCall, 'listed' | 'known' | 'startedAt'>,
  account: Pick<FetchedConversation, 'startedAt' | 'durationSeconds'> | undefined,
): number {
  const start = account?.startedAt ?? listed?.startedAt;
  const seconds = account?.durationSeconds ?? listed?.durationSeconds;
  if (start !== undefined && seconds !== undefined) return start + seconds * 1000;
  return known?.endedAt ?? startedAt;
}

/** Returns what becomes of a call that the provider did not answer for. */
export function answerOutcome({ code, reason }: Extract<Answer<never>, { ok: false }>): FetchOutcome {
  return { verdict: code === 'absent' ? 'unfetchable' : 'missing', reason, isFetched: false };
}
