import type { ComparedCall } from './compare.ts';
import { fetchAccounts } from './fetch-accounts.ts';
import { fetchAudio } from './fetch-audio.ts';
import type { FetchOptions, FetchOutcomes, Fetching } from './fetching.ts';
import { REASONS } from './places.ts';

/** Calls that were fetched, and why the others were not. */
export interface FetchedCalls {
  outcomes: FetchOutcomes;
  /** What ends the run: no fault of the provider. Those end their kind of questions alone. */
  failure: { error: unknown } | undefined;
}

/**
 * Fetches what is missing of some twenty calls: first all accounts, then, once the tables say what these say of audio, the audio. Waits until the worker
 * is through with them. Of every call the outcome is known then, also where the provider stops to answer half-way.
 *
 * @throws  The signal's reason; StoreError.
 */
export async function fetchCalls(calls: readonly ComparedCall[], fetching: Fetching): Promise<FetchedCalls> {
  const { ports, context, handedOver } = fetching;
  const outcomes: FetchOutcomes = new Map();
  const ids = calls.map(({ id }) => id);
  const waiting = await context.retry(() => handedOver.waiting(ids, ports));
  for (const [id, place] of waiting) outcomes.set(id, { verdict: 'missing', reason: REASONS[place], isFetched: false });
  // Whoever compared them asked for these already.
  for (const { id, verdict, reason, isUnasked } of calls) {
    if (reason !== undefined) outcomes.set(id, { verdict, reason, isFetched: false, isUnasked });
  }
  const wanted = calls.filter(({ id }) => !outcomes.has(id));
  const options: FetchOptions = {
    fetching,
    outcomes,
    accounts: new Map(),
    unasked: new Set(wanted.map(({ id }) => id)),
  };
  const early = await fetchAccounts(wanted.filter(isAccountMissing), options);
  // Also where no more is asked for: an account that came is complete only where its audio is here.
  const failure = await fetchAudio(wanted, options, early);
  for (const { id, verdict } of wanted) {
    const outcome = outcomes.get(id) ?? { verdict, isFetched: false };
    outcomes.set(id, { ...outcome, isUnasked: options.unasked.has(id) });
  }
  return { outcomes, failure };
}

function isAccountMissing({ verdict }: ComparedCall): boolean {
  return verdict === 'missing';
}
