import type { Machine } from '../machine.ts';
import type { Plan } from '../plan.ts';
import type { Measured } from '../results.ts';

/** One of the goals, held against what was measured. */
export interface GoalResult {
  goal: string;
  /** The bound as it is read: `at least 0.80`. */
  target: string;
  verdict: 'met' | 'not met' | 'not measured';
  /** What was measured; null where it was not, or has no number. */
  value: number | null;
  unit: string;
  /** What the value is made of: `12,300/s ÷ 15,100/s`. */
  from: string;
}

/** Everything that a run found out. */
export interface Report {
  startedAt: string;
  tookSeconds: number;
  machine: Machine;
  /** Settings of Postgres and Redis that matter to the figures. */
  settings: Record<string, string>;
  plan: Plan;
  measured: Measured[];
  goals: GoalResult[];
  /** Measures that broke off, with why: their figures are missing or incomplete. */
  faults: string[];
}
