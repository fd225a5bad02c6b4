import type { Contender } from './contender.ts';
import type { Plan } from './plan.ts';
import type { Services } from './services.ts';

/** What every measure works with. */
export interface BenchContext {
  services: Services;
  contenders: readonly Contender[];
  /** Verifies and answers; queues nothing. */
  httpLimit: Contender;
  plan: Plan;
  /** Tells whoever watches how far it is. */
  log: (line: string) => void;
}
