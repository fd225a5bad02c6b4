import type { ToolEntry } from './read-tools.ts';

/** A tool call with its result. One of the two may be missing. */
export interface JoinedCall {
  /**
   * Unique in its transcript: the request id; `<id>#2` for the second use of an id; else the place in the transcript.
   */
  requestId: string;
  call?: ToolEntry;
  result?: ToolEntry;
  /** The time of the call, else of its result, in unix milliseconds. */
  at: number;
}

/**
 * Joins the results of a transcript to their calls.
 *
 * - A result with an id joins the oldest unanswered call with that id, also a later call.
 * - A result without an id joins the oldest unanswered call of the same tool before it. So does a result whose id no
 *   call has, where the call has no id.
 * - Any other result is a row of its own.
 *
 * @param entries  Calls and results, in the order of the turns.
 * @returns        A row for each call and each unjoined result, in that order.
 */
export function joinToolCalls(entries: readonly ToolEntry[]): JoinedCall[] {
  if (entries.length === 0) return [];
  const resultOf = joinById(entries);
  joinByName(entries, resultOf);
  const joined = new Set(resultOf.values());
  const rows = entries.flatMap((tool): Omit<JoinedCall, 'requestId'>[] => {
    if (tool.kind === 'result') return joined.has(tool) ? [] : [{ result: tool, at: tool.at }];
    const result = resultOf.get(tool);
    return [{ call: tool, ...(result && { result }), at: tool.at }];
  });
  return withIds(rows);
}

/** Each call's result. */
type ResultOf = Map<ToolEntry, ToolEntry>;

function joinById(entries: readonly ToolEntry[]): ResultOf {
  const calls = new Queues();
  for (const tool of entries) if (tool.kind === 'call' && tool.id !== undefined) calls.add(tool.id, tool);
  const resultOf: ResultOf = new Map();
  for (const tool of entries) {
    const call = tool.kind === 'result' && tool.id !== undefined ? calls.oldest(tool.id, resultOf) : undefined;
    if (call) resultOf.set(call, tool);
  }
  return resultOf;
}

/** Joins the remaining results by the tool's name. A workflow's results join only that workflow's calls. */
function joinByName(entries: readonly ToolEntry[], resultOf: ResultOf): void {
  const joined = new Set(resultOf.values());
  const calls = new Queues();
  const callsWithoutId = new Queues();
  for (const tool of entries) {
    if (tool.name === undefined || joined.has(tool)) continue;
    const key = `${tool.scope}\0${tool.name}`;
    if (tool.kind === 'call') {
      calls.add(key, tool);
      if (tool.id === undefined) callsWithoutId.add(key, tool);
    } else {
      const call = (tool.id === undefined ? calls : callsWithoutId).oldest(key, resultOf);
      if (call) resultOf.set(call, tool);
    }
  }
}

/** Calls that may lack a result, by a key. */
class Queues {
  readonly #queues = new Map<string, { calls: ToolEntry[]; next: number }>();

  add(key: string, call: ToolEntry): void {
    const queue = this.#queues.get(key);
    if (queue) queue.calls.push(call);
    else this.#queues.set(key, { calls: [call], next: 0 });
  }

  /** Returns the oldest call that has no result. */
  oldest(key: string, resultOf: ResultOf): ToolEntry | undefined {
    const queue = this.#queues.get(key);
    if (queue === undefined) return undefined;
    while (queue.next < queue.calls.length) {
      const call = queue.calls[queue.next++];
      if (call && !resultOf.has(call)) return call;
    }
    return undefined;
  }
}

/**
 * Gives each row a unique id. An id that a transcript names belongs to its own row, also an id of the form `<id>#2`.
 */
function withIds(rows: readonly Omit<JoinedCall, 'requestId'>[]): JoinedCall[] {
  const literal = new Set(rows.map(idOf));
  const taken = new Set<string>();
  const uses = new Map<string, number>();
  const nextUse = (id: string): string => {
    let n = uses.get(id) ?? 2;
    while (literal.has(`${id}#${n}`) || taken.has(`${id}#${n}`)) n++;
    uses.set(id, n + 1);
    return `${id}#${n}`;
  };
  return rows.map((row) => {
    const own = idOf(row);
    const id = own ?? row.call?.place ?? row.result?.place ?? '';
    const isFree = !taken.has(id) && (own !== undefined || !literal.has(id));
    const requestId = isFree ? id : nextUse(id);
    taken.add(requestId);
    return { requestId, ...row };
  });
}

function idOf({ call, result }: Omit<JoinedCall, 'requestId'>): string | undefined {
  return call?.id ?? result?.id;
}
