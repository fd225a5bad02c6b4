import { z } from 'zod';
import { count, numberOrNull, textOrNull, time, timeOrNull, uuid } from './fields.ts';

/** One line of what the newest look at the provider's side has found. */
export const findingItemSchema = z.object({
  code: z.string(),
  /** `fine`, `note`, `unseen` where this key may not see it, or `fault`. */
  level: z.enum(['fine', 'note', 'unseen', 'fault']),
  /** What is so. */
  what: z.string(),
  /** What to click. */
  todo: textOrNull,
});

/** The newest look at the provider's side. */
export const checkSchema = z.object({
  checked_at: time,
  /** Whether our webhook is there, enabled and used; null where that could not be seen. */
  is_webhook_up: z.boolean().nullable(),
  /** When a webhook failed last as the provider saw it, and a sentence of what we had answered; null where none failed. */
  last_failure: z.object({ at: time, code: numberOrNull, answered: textOrNull }).nullable(),
  /** Faults first. */
  findings: z.array(findingItemSchema),
  /** The first of the agents that the API key sees. */
  agents: z.array(z.object({ id: z.string(), name: z.string() })),
  /** How many of them were read. */
  agent_count: count,
  /** Whether it may see more: not all were read. */
  has_more_agents: z.boolean(),
});

/** One comparison with the provider. */
export const runSchema = z.object({
  /** That of its operation. */
  id: uuid,
  /** Calls that began in this time were listed. */
  window_from: time,
  window_to: time,
  started_at: time,
  finished_at: timeOrNull,
  error: textOrNull,
  /** The status of its operation; null where that is kept no longer. A run without an end whose operation is over has no result. */
  operation_status: textOrNull,
  listed: count,
  complete: count,
  /** Running, or too young to be missed. */
  waiting: count,
  /** Transcripts that were fetched. */
  fetched: count,
  fetched_recordings: count,
  unfetchable: count,
});

export const providerSchema = z.object({
  at: time,
  /** Null where nobody has looked so far; then `advice` says what to do. */
  check: checkSchema.nullable(),
  advice: textOrNull,
  /** How many conversations are of each kind now; 10,001 says that there are more than 10,000. Those that are complete, erased or were never compared are not counted. */
  completeness: z.object({ open: count, waiting: count, missing: count, unfetchable: count }),
  /** The newest, the newest first. */
  runs: z.array(runSchema),
  /** The newest comparison that failed, where none has ended well since: what else is here may be older than the trouble. Null otherwise. */
  last_failure: z.object({ id: uuid, at: time, error: textOrNull }).nullable(),
  /** When a comparison ended well last; null where none of `runs` did. */
  reconciled_at: timeOrNull,
  /** Whether a comparison waits for a worker, or runs. */
  is_reconciling: z.boolean(),
});

export type Provider = z.output<typeof providerSchema>;
export type ProviderCheckItem = z.output<typeof checkSchema>;
export type FindingItem = z.output<typeof findingItemSchema>;
export type RunItem = z.output<typeof runSchema>;
