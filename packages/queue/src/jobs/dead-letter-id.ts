/** Leads the job id of each dead letter, so that no id is taken for one of BullMQ's own keys. */
const PREFIX = 'dead-';

/** Returns the job id of the dead letter that carries the event with this ledger id. */
export function deadLetterId(eventId: string): string {
  return `${PREFIX}${eventId}`;
}

/** Returns the ledger id of the event that a dead letter carries; undefined for the id of another job. */
export function deadEventId(jobId: string): string | undefined {
  return jobId.startsWith(PREFIX) ? jobId.slice(PREFIX.length) : undefined;
}
