import type { Plan } from './plan.ts';
import type { Services } from './services.ts';

/** The servers, the plan and the log of a measure. */
export interface BenchContext {
  services: Services;
  plan: Plan;
  /** Prints the progress. */
  log: (line: string) => void;
}
