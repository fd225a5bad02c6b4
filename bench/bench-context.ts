import type { Plan } from './plan.ts';
import type { Services } from './services.ts';

/** What every measure works with. */
export interface BenchContext {
  services: Services;
  plan: Plan;
  /** Tells whoever watches how far it is. */
  log: (line: string) => void;
}
