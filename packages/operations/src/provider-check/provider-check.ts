import { z } from 'zod';

/**
 * What was found about the provider's side, as the table provider_checks, the commands and the console have it.
 *
 * - `fine`: as it should be. `note`: nothing to mend, but good to know. `unseen`: this key may not see it. `fault`: something does not arrive, or will not.
 */
export const FINDING_LEVELS = ['fine', 'note', 'unseen', 'fault'] as const;

/** One of `FINDING_LEVELS`. */
export type FindingLevel = (typeof FINDING_LEVELS)[number];

/** A finding: one line. */
export const findingSchema = z.object({
  /** Such as `webhook_auto_disabled`; with the agent's id behind a colon where it is about one agent. */
  code: z.string(),
  level: z.enum(FINDING_LEVELS),
  /** What is so. */
  what: z.string(),
  /** What to click, for a fault or what could not be seen. */
  todo: z.string().optional(),
});

/** A finding; see `findingSchema`. */
export type Finding = z.infer<typeof findingSchema>;

/** All that one look has found. Times in unix milliseconds. */
export const providerCheckSchema = z.object({
  checkedAt: z.number(),
  findings: z.array(findingSchema),
  /** Whether our webhook would bring the transcripts of calls: see `isWebhookUp`. Null: it could not be seen. */
  isWebhookUp: z.boolean().nullable(),
  /** The newest failure that the provider has seen at our webhook. */
  lastFailure: z
    .object({
      /** The status that the provider read; null: it read none. */
      code: z.number().nullable(),
      at: z.number(),
      /** What we answered then, such as `Landline answered no 401 then`; null: it could not be looked up. */
      answered: z.string().nullable(),
    })
    .nullable(),
  /** The agents that the key sees. */
  agents: z.array(z.object({ id: z.string(), name: z.string() })),
  /** How often the worker that looked compares calls with the provider. A command that looks does not say it. */
  reconcileEveryMs: z.number().optional(),
});

/** See `providerCheckSchema`. */
export type ProviderCheck = z.infer<typeof providerCheckSchema>;
