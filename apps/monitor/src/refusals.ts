/** How long a call or an agent is left alone after the provider has refused its sockets, in ms. An agent that was heard so lately may be monitored. */
const PAUSE_MS = 3_600_000;

/** How long an agent that was named in the log is not named again, in ms. */
const NAMED_MS = 24 * PAUSE_MS;

/** How often in a row the provider must refuse the socket of a call. Once or twice may be a call that has just ended: it is refused in the same way. */
const REFUSALS_UNTIL_SURE = 3;

/** A call, and the agent that speaks in it. */
export interface Party {
  call: string;
  agent: string;
}

/** The calls and agents that may not be monitored. */
export interface Refusals {
  /** Notes that an agent was heard. */
  heard(agent: string): void;
  /**
   * Notes that the socket of one call was refused so often in a row. `sure`: the call is left alone from now on, and with a second call of its
   * agent the agent is; `told`: as well, and the agent was named before.
   */
  note(party: Party, inARow: number): 'sure' | 'told' | undefined;
  isRefused(party: Party): boolean;
  /** How many agents and calls are remembered. */
  size(): number;
}

/**
 * Remembers refusals by agent: each of an agent's calls would be refused as well. One call alone says nothing of its agent: the provider may list a
 * call for hours that is over, and refuses it in the same way.
 */
export function createRefusals(now: () => number): Refusals {
  const calls = createRecent(now, PAUSE_MS);
  const suspected = createRecent(now, PAUSE_MS);
  const refused = createRecent(now, PAUSE_MS);
  const heard = createRecent(now, PAUSE_MS);
  const named = createRecent(now, NAMED_MS);
  return {
    heard(agent) {
      heard.note(agent);
      for (const agents of [suspected, refused, named]) agents.forget(agent);
    },
    note({ call, agent }, inARow) {
      if (heard.has(agent) || inARow < REFUSALS_UNTIL_SURE) return undefined;
      if (suspected.has(agent) && !calls.has(call)) refused.note(agent);
      calls.note(call);
      suspected.note(agent);
      if (named.has(agent)) return 'told';
      named.note(agent);
      return 'sure';
    },
    isRefused: ({ call, agent }) => calls.has(call) || refused.has(agent),
    size: () => [calls, suspected, refused, heard, named].reduce((sum, recent) => sum + recent.size(), 0),
  };
}

/** Makes the set of what was noted within a time. What is older is dropped. */
function createRecent(now: () => number, withinMs: number) {
  /** The oldest first. */
  const notedAt = new Map<string, number>();
  const has = (key: string): boolean => now() - (notedAt.get(key) ?? -Infinity) < withinMs;
  return {
    has,
    note(key: string) {
      notedAt.delete(key);
      notedAt.set(key, now());
      for (const oldest of notedAt.keys()) {
        if (has(oldest)) return;
        notedAt.delete(oldest);
      }
    },
    forget: (key: string) => void notedAt.delete(key),
    size: () => notedAt.size,
  };
}
