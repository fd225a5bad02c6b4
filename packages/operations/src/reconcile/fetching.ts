import type { FetchedConversation } from '@landline/provider';
import type { AddJob } from '../job-adder.ts';
import type { OperationContext } from '../operation-kind.ts';
import type { RunQuestions } from './ask-about-call.ts';
import type { HandedOver } from './handed-over.ts';
import type { Rules, Verdict } from './judge-call.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';
import type { RunStore } from './retrying-store.ts';

/** What calls are fetched with. */
export interface Fetching {
  context: OperationContext;
  ports: ReconcilePorts;
  /** The port's, each method again and again while Postgres is away. */
  store: RunStore;
  questions: RunQuestions;
  rules: Rules;
  add: AddJob;
  handedOver: HandedOver;
  /** Whether what was compared before does not count: somebody asks for the call again. */
  isAgain: boolean;
  /** Why no more audio is taken in this run: the spool has no room. */
  spoolFault?: Error | undefined;
}

/** What became of a call that was to be fetched. */
export interface FetchOutcome {
  verdict: Verdict;
  /** Why it is not complete. */
  reason?: string | undefined;
  /** Whether an event of it was applied. */
  isFetched: boolean;
  /** Whether the provider was not asked for what it lacks, because that is refused for all, or the fetching had ended: it has not failed. */
  isUnasked?: boolean | undefined;
}

/** What became of calls, by id. */
export type FetchOutcomes = Map<string, FetchOutcome>;

/** What the outcome of fetching is noted with. */
export interface FetchOptions {
  fetching: Fetching;
  outcomes: FetchOutcomes;
  /** What the accounts say that were fetched, by id, without their bytes. */
  accounts: Map<string, AccountFacts>;
  /** Calls of which the provider was not asked yet for what they lack. */
  unasked: Set<string>;
}

/** What an account says of its call. */
export type AccountFacts = Pick<FetchedConversation, 'agentId' | 'userId' | 'externalNumber'> & {
  /** The time of its event: that of the audio is the same. Unix milliseconds. */
  endedAt: number;
  /** From when on an erasure of its persons counts, in unix milliseconds: its beginning, or all time where nobody knows that. */
  erasedSince: number;
};
