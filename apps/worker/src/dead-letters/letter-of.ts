import type { DeadLetter } from '@landline/queue';
import type { DeadRecord } from '@landline/store';

/** Returns the letter of an event that is dead in the ledger, which rests without being tried first; none where its body is gone. */
export function letterOf({ id, delivery, fault, attempts }: DeadRecord): DeadLetter[] {
  return delivery === undefined ? [] : [{ id, event: delivery, died: { ...fault, attempts } }];
}
