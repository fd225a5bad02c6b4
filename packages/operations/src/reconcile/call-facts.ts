import type { FetchedConversation } from '@landline/provider';
import type { ListedCall } from '@landline/store';
import type { Answer } from './ask-about-call.ts';
import type { ComparedCall } from './compare.ts';
import type { FetchOutcome } from './fetching.ts';

/**
 * Returns when a call ended, in unix milliseconds: as its account says, else as the list or the tables do; its beginning where nobody says. It is the same
 * whenever it is asked, for the event of what was fetched has it: where nobody says when the call began, the tables have when it was first seen.
 */
export function endOf(
  { listed, known, startedAt }: Pick<ComparedCall, 'listed' | 'known' | 'startedAt'>,
  account: Pick<FetchedConversation, 'startedAt' | 'durationSeconds'> | undefined,
): number {
  const start = account?.startedAt ?? (listed?.isStartKnown === true ? listed.startedAt : undefined);
  const seconds = account?.durationSeconds ?? listed?.durationSeconds;
  if (start !== undefined && seconds !== undefined) return start + seconds * 1000;
  return known?.endedAt ?? startedAt;
}

/** Returns what the list says of a call, or else its account: what stays of one that is erased. */
export function saidOf({ id, listed, startedAt }: ComparedCall, account: FetchedConversation): ListedCall {
  const times = { startedAt: account.startedAt ?? startedAt };
  if (listed !== undefined) return { ...listed, ...times };
  const { agentId, status, durationSeconds } = account;
  const unsaid = { direction: null, title: null, summary: null, callSuccessful: null, endReason: null };
  return { id, agentId, status, ...times, durationSeconds: durationSeconds ?? 0, ...unsaid };
}

/** Returns what becomes of a call that the provider did not answer for. */
export function answerOutcome({ code, reason }: Extract<Answer<never>, { ok: false }>): FetchOutcome {
  return { verdict: code === 'absent' ? 'unfetchable' : 'missing', reason, isFetched: false };
}
