import type { Machine } from '../machine.ts';
import type { Plan } from '../plan.ts';
import type { Measured } from '../results.ts';

/** A goal, compared with the measured figure. */
export interface GoalResult {
  goal: string;
  /** The bound as a text: `at least 0.80`. */
  target: string;
  verdict: 'met' | 'not met' | 'not measured';
  /** The measured figure; null where it was not measured, or is infinite. */
  value: number | null;
  unit: string;
  /** The parts of the figure: `12,300/s ÷ 15,100/s`. */
  from: string;
}

/** The results of a run. */
export interface Report {
  startedAt: string;
  tookSeconds: number;
  machine: Machine;
  /** Settings of Postgres and Redis that matter to the figures. */
  settings: Record<string, string>;
  plan: Plan;
  measured: Measured[];
  goals: GoalResult[];
  /** The measures that broke off, with their errors. Their figures are missing or incomplete. */
  faults: string[];
}
