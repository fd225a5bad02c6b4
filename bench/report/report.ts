import { z } from 'zod';
import { machineSchema } from '../machine.ts';

/** As `Measured`, read from a file. */
const measuredSchema = z.object({
  measure: z.string(),
  variant: z.string(),
  contender: z.string(),
  metric: z.string(),
  unit: z.string(),
  values: z.array(z.number()).min(1),
});

/** One of the goals, held against what was measured. */
const goalResultSchema = z.object({
  goal: z.string(),
  /** The bound as it is read: `at least 0.80`. */
  target: z.string(),
  verdict: z.enum(['met', 'not met', 'not measured']),
  /** What was measured; null where it was not, or has no number. */
  value: z.number().nullable(),
  unit: z.string(),
  /** What the value is made of: `12,300/s ÷ 15,100/s`. */
  from: z.string(),
});

/** Everything that a run found out: bench/results/latest.json. */
export const reportSchema = z.object({
  startedAt: z.string(),
  tookSeconds: z.number(),
  machine: machineSchema,
  /** Settings of Postgres and Redis that matter to the figures. */
  settings: z.record(z.string(), z.string()),
  /** Sizes and times of the run. */
  plan: z.record(z.string(), z.unknown()),
  contenders: z.array(z.object({ name: z.string(), about: z.string() })),
  measured: z.array(measuredSchema),
  goals: z.array(goalResultSchema),
  /** Measures that broke off, with why: their figures are missing or incomplete. */
  faults: z.array(z.string()),
  /** Measures that were taken again by themselves: their figures are not of the run that `startedAt` names. */
  renewed: z
    .array(z.object({ measures: z.array(z.string()), startedAt: z.string(), tookSeconds: z.number() }))
    .default([]),
});

/** See `reportSchema`. */
export type Report = z.infer<typeof reportSchema>;

/** See `goalResultSchema`. */
export type GoalResult = z.infer<typeof goalResultSchema>;
