/** How long an agent is left alone after the provider has refused its sockets, in ms. An agent that was heard so lately may be monitored. */
const PAUSE_MS = 3_600_000;

/** How long an agent that was named in the log is not named again, in ms. */
const NAMED_MS = 24 * PAUSE_MS;

/** How often in a row the provider must refuse the socket of a call. Once or twice may be a call that has just ended: it is refused in the same way. */
const REFUSALS_UNTIL_SURE = 3;

/** The agents that may not be monitored. */
export interface Refusals {
  /** Notes that an agent was heard. */
  heard(agent: string): void;
  /** Notes that the socket of one call was refused so often in a row. `sure`: the agent is left alone from now on; `told`: as well, and it was before. */
  note(agent: string, inARow: number): 'sure' | 'told' | undefined;
  isRefused(agent: string): boolean;
  /** How many agents are remembered. */
  size(): number;
}

/** Remembers refusals by agent: each of an agent's calls would be refused as well. */
export function createRefusals(now: () => number): Refusals {
  const refused = createRecent(now, PAUSE_MS);
  const heard = createRecent(now, PAUSE_MS);
  const named = createRecent(now, NAMED_MS);
  return {
    heard(agent) {
      heard.note(agent);
      refused.forget(agent);
      named.forget(agent);
    },
    note(agent, inARow) {
      if (heard.has(agent) || inARow < REFUSALS_UNTIL_SURE) return undefined;
      refused.note(agent);
      if (named.has(agent)) return 'told';
      named.note(agent);
      return 'sure';
    },
    isRefused: (agent) => refused.has(agent),
    size: () => refused.size() + heard.size() + named.size(),
  };
}

/** Makes the set of the agents that were noted within a time. What is older is dropped. */
function createRecent(now: () => number, withinMs: number) {
  /** The oldest first. */
  const notedAt = new Map<string, number>();
  const has = (agent: string): boolean => now() - (notedAt.get(agent) ?? -Infinity) < withinMs;
  return {
    has,
    note(agent: string) {
      notedAt.delete(agent);
      notedAt.set(agent, now());
      for (const oldest of notedAt.keys()) {
        if (has(oldest)) return;
        notedAt.delete(oldest);
      }
    },
    forget: (agent: string) => void notedAt.delete(agent),
    size: () => notedAt.size,
  };
}
