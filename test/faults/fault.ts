import type { SystemUnderTest } from './system-under-test.ts';

/** One way to break something. */
export interface Fault {
  name: string;
  /** How it is done, in a line for the README. */
  how: string;
  /** It takes so long that it comes but every few rounds. */
  isLong?: boolean;
  /** Why it cannot be done here, if so. */
  unless?: (system: SystemUnderTest) => string | undefined | Promise<string | undefined>;
  /**
   * A count that grows when the fault has really struck. It is read before the fault is injected, and again when service is
   * well after it; where it did not grow, nothing was survived.
   */
  evidence?: (system: SystemUnderTest) => Promise<number>;
  /** Breaks and heals; resolves when nothing is broken any more. What was broken must be whole also when it rejects. */
  inject: (system: SystemUnderTest) => Promise<void>;
}

/** One of them, by chance. */
export function anyOf<T>(system: SystemUnderTest, items: readonly T[]): T {
  const item = items[system.random.below(items.length)];
  if (item === undefined) throw new Error('There is nothing to choose from.');
  return item;
}

/** A time by chance, in ms. */
export function between(system: SystemUnderTest, least: number, most: number): number {
  return least + system.random.below(most - least);
}
