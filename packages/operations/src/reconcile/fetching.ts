import type { FetchedConversation } from '@landline/provider';
import type { AddJob } from '../job-adder.ts';
import type { OperationContext } from '../operation-kind.ts';
import type { Questions } from './ask-about-call.ts';
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
  questions: Questions;
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
}

/** What became of calls, by id. */
export type FetchOutcomes = Map<string, FetchOutcome>;

/** What the outcome of fetching is noted with. */
export interface FetchOptions {
  fetching: Fetching;
  outcomes: FetchOutcomes;
  /** What the accounts say that were fetched, by id, without their bytes. */
  accounts: Map<string, AccountFacts>;
}

/** What an account says of its call, with the call's beginning as far as anybody knows it. */
export type AccountFacts = Pick<FetchedConversation, 'agentId' | 'userId' | 'externalNumber' | 'durationSeconds'> & {
  /** Unix milliseconds. */
  startedAt: number;
  /** From when on an erasure of its persons counts, in unix milliseconds: its beginning, or all time where nobody knows that. */
  erasedSince: number;
};

/** An event that was handed over, and of which call it is. */
export interface HandedEvent {
  conversationId: string;
  eventId: string;
}

/** Why a call is missing that was fetched. */
export const WAITS = 'it was fetched, and waits for the worker or for the storage of recordings';
