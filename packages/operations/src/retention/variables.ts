import { z } from 'zod';
import type { RetentionPolicy } from './policy.ts';

/** The least days for which bodies are kept: what is found wrong within a week can be replayed. */
const LEAST_BODY_DAYS = 7;

/**
 * The least days for which ids are kept. An id keeps a repeat from being applied again, so it must outlast all who may repeat an event: ElevenLabs (less
 * than an hour), jobs that wait in Redis, and the journals of receivers (`JOURNAL_RETENTION_HOURS`, a day unless it is set).
 */
const LEAST_LEDGER_DAYS = 30;

/** The most days of anything: a hundred years. */
const MOST_DAYS = 36_500;

function days(name: string, min: number) {
  const error = `${name} must be a whole number of days from ${min} to ${MOST_DAYS}`;
  return z
    .string({ error })
    .regex(/^\d{1,5}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= MOST_DAYS, error);
}

/** How long things are kept, as a shape for a process's schema. Check them together by `readPolicy`. */
export const retentionVariables = {
  /** Of webhook_bodies, by whole days in UTC. */
  BODY_RETENTION_DAYS: days('BODY_RETENTION_DAYS', LEAST_BODY_DAYS).default(90),
  /** Of webhook_events: at least as long as bodies. */
  LEDGER_RETENTION_DAYS: days('LEDGER_RETENTION_DAYS', LEAST_LEDGER_DAYS).default(400),
  REJECTED_RETENTION_DAYS: days('REJECTED_RETENTION_DAYS', 1).default(14),
  /** By the beginning of the call; unset: kept. */
  CONVERSATION_RETENTION_DAYS: days('CONVERSATION_RETENTION_DAYS', 1).optional(),
  /** By the time of the call; unset: kept. */
  RECORDING_RETENTION_DAYS: days('RECORDING_RETENTION_DAYS', 1).optional(),
};

const shape = z.object(retentionVariables);

/**
 * Makes the policy of these variables.
 *
 * @returns  The policy; or a sentence that says which two do not go together.
 */
export function readPolicy(variables: z.infer<typeof shape>): RetentionPolicy | string {
  const { BODY_RETENTION_DAYS: bodies, LEDGER_RETENTION_DAYS: events } = variables;
  if (events < bodies) {
    return `LEDGER_RETENTION_DAYS (${events}) must be at least BODY_RETENTION_DAYS (${bodies}): a body without its id could not be found, and its event would be applied again`;
  }
  return {
    bodies,
    events,
    rejected: variables.REJECTED_RETENTION_DAYS,
    conversations: variables.CONVERSATION_RETENTION_DAYS,
    recordings: variables.RECORDING_RETENTION_DAYS,
  };
}
