import type { Store } from '@landline/store';
import type { Delivery } from '@landline/webhook';
import type { RemovePorts } from '../recordings/remove-recordings.ts';

/** Something that Redis holds of an event: `CarriedEvent` of packages/queue. */
export interface HeldEvent {
  delivery: Delivery | undefined;
  body: Buffer;
  /** In unix milliseconds. */
  receivedAt: number;
}

/** A request of the console that Redis holds: `HeldRequest` of packages/queue. */
export interface HeldRequest {
  /** The operation that it asks for; undefined where it asks for something else, or cannot be read. */
  operation: { id: string; kind: string; filter: Readonly<Record<string, string>> } | undefined;
  /** Its data where nobody can read it. */
  unreadable: Buffer | undefined;
  /** Whether no worker takes it any more, unless a person retries it. */
  isResting: boolean;
}

/** How many events were taken out of Redis, by where they lay: `ForgottenJobs` of packages/queue. */
export interface ForgottenInRedis {
  waiting: number;
  resting: number;
  dead_letters: number;
  rejected: number;
  /** In jobs that a worker has in hand: they are still there. */
  in_hand: number;
}

/** What an erasure works with. */
export interface ErasePorts extends RemovePorts {
  store: Pick<Store, 'forgetConversations' | 'erasing' | 'ledger' | 'rejectedPage'>;
  /**
   * Goes through all jobs in Redis, and takes out the events that are to go; `forgetJobs` of packages/queue. Rejects with code `queue_unavailable` while
   * Redis is away.
   */
  forgetJobs(
    decide: (events: readonly HeldEvent[]) => Promise<boolean[]>,
    signal: AbortSignal,
  ): Promise<ForgottenInRedis>;
  /** Goes through all requests of the console in Redis, and takes out those that are to go; `forgetRequests` of packages/queue. Rejects as `forgetJobs` does. */
  forgetRequests(
    decide: (request: HeldRequest) => boolean,
    signal: AbortSignal,
  ): Promise<{ requests: number; in_hand: number }>;
}
