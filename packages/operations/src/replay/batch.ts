import { createHash } from 'node:crypto';
import type { EventPosition } from '@landline/store';

/** An event that was sent again. */
export interface SentEvent {
  id: string;
  /** What it was before. */
  outcome: string;
  /** Of a dead one: how many attempts had been spent on it. */
  attempts: number;
  /** Whether its row must change when it is applied: else that it was applied cannot be told from that its job was lost. */
  mustChange: boolean;
  /** Whether it may have a dead letter: it was dead, or the worker before has applied it and may not have come to its letter. */
  mayHaveLetter: boolean;
}

/** Events that share a job, in the order of the ledger. */
export interface Batch {
  /** Undefined where nothing of it was sent. */
  jobId: string | undefined;
  sent: readonly SentEvent[];
  /** Why events of it were not sent, one reason each. */
  unsent: readonly string[];
  /** Everything up to here is in this batch or in one before. */
  position: EventPosition;
  /** Of the bodies. */
  bytes: number;
  /** How often it was sent. */
  sendings: number;
}

/** Returns the id of the job of these events: the same for the same ones, also after a restart. */
export function jobIdOf(operationId: string, ids: readonly string[], sending: number): string {
  const digest = createHash('sha256').update(ids.join()).digest('hex').slice(0, 16);
  return `replay-${operationId}-${digest}-${sending}`;
}
