import type { Cutoffs } from '@landline/store';
import { z } from 'zod';

/** How long things are kept, in days; undefined: until somebody says otherwise. */
export interface RetentionPolicy {
  bodies: number;
  events: number;
  rejected: number;
  conversations?: number | undefined;
  recordings?: number | undefined;
}

const DAY_MS = 86_400_000;

/** The words of a policy in `operations.filter`, with their days. */
export type PolicyWords = Readonly<Record<string, string>>;

const WORDS = {
  bodies: 'body_days',
  events: 'ledger_days',
  rejected: 'rejected_days',
  conversations: 'conversation_days',
  recordings: 'recording_days',
} as const satisfies Record<keyof RetentionPolicy, string>;

const days = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number);

const wordsSchema = z
  .strictObject({
    [WORDS.bodies]: days,
    [WORDS.events]: days,
    [WORDS.rejected]: days,
    [WORDS.conversations]: days.optional(),
    [WORDS.recordings]: days.optional(),
  })
  .refine((words) => words[WORDS.events] >= words[WORDS.bodies], { message: 'ledger_days is less than body_days' })
  .transform((words): RetentionPolicy => ({
    bodies: words[WORDS.bodies],
    events: words[WORDS.events],
    rejected: words[WORDS.rejected],
    conversations: words[WORDS.conversations],
    recordings: words[WORDS.recordings],
  }));

/** Writes a policy in words, so that a run is what its plan was, whatever the worker's variables say. */
export function policyWords(policy: RetentionPolicy): PolicyWords {
  const { conversations, recordings } = policy;
  return {
    [WORDS.bodies]: String(policy.bodies),
    [WORDS.events]: String(policy.events),
    [WORDS.rejected]: String(policy.rejected),
    ...(conversations !== undefined && { [WORDS.conversations]: String(conversations) }),
    ...(recordings !== undefined && { [WORDS.recordings]: String(recordings) }),
  };
}

/** Reads a policy that `policyWords` wrote; the failure says what cannot be meant. */
export function readPolicyWords(words: unknown): z.ZodSafeParseResult<RetentionPolicy> {
  return wordsSchema.safeParse(words);
}

/**
 * Says before when things go.
 *
 * @param now  Unix milliseconds.
 */
export function cutoffsOf(policy: RetentionPolicy, now: number): Cutoffs {
  const before = (kept: number) => now - kept * DAY_MS;
  const beforeOrNever = (kept: number | undefined) => (kept === undefined ? null : before(kept));
  return {
    now,
    bodies: startOfDay(before(policy.bodies)),
    events: startOfDay(before(policy.events)),
    conversations: beforeOrNever(policy.conversations),
    recordings: beforeOrNever(policy.recordings),
    rejected: before(policy.rejected),
  };
}

/** Bodies go by the day, and ids after the bodies of their day. */
function startOfDay(ms: number): number {
  return ms - (((ms % DAY_MS) + DAY_MS) % DAY_MS);
}
