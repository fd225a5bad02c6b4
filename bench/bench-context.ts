import type { Contender } from './contender.ts';
import type { Plan } from './plan.ts';
import type { Services } from './services.ts';

/** What every measure works with. */
export interface BenchContext {
  services: Services;
  contenders: readonly Contender[];
  /** landline with its journal: measured where requests are answered, for it is the receiver's alone. */
  withJournal: Contender;
  /** Verifies and answers; queues nothing. */
  httpLimit: Contender;
  plan: Plan;
  /** Tells whoever watches how far it is. */
  log: (line: string) => void;
}
