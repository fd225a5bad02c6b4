import type { ToldTool } from './read-tools.ts';

/** A tool call with its result; one of the two may be missing. */
export interface JoinedCall {
  /** Unique in its transcript: the request id, `<id>#2` for the second use of one, else the place in the transcript. */
  requestId: string;
  call?: ToldTool;
  result?: ToldTool;
  /** When the call was made, else when its result was told, in unix milliseconds. */
  at: number;
}

/**
 * Joins the results of a transcript to their calls. A result belongs to the oldest unanswered call with its id, also to
 * one that comes later. A result without an id, or whose call has none, belongs to the oldest unanswered call of the same
 * tool before it. Any other result stands alone.
 *
 * @param told  Calls and results, in the order of the turns.
 * @returns     A call for each row, in that order.
 */
export function joinToolCalls(told: readonly ToldTool[]): JoinedCall[] {
  if (told.length === 0) return [];
  const resultOf = joinById(told);
  joinByName(told, resultOf);
  const joined = new Set(resultOf.values());
  const rows = told.flatMap((tool): Omit<JoinedCall, 'requestId'>[] => {
    if (tool.kind === 'result') return joined.has(tool) ? [] : [{ result: tool, at: tool.at }];
    const result = resultOf.get(tool);
    return [{ call: tool, ...(result && { result }), at: tool.at }];
  });
  return withIds(rows);
}

/** Each call's result. */
type ResultOf = Map<ToldTool, ToldTool>;

function joinById(told: readonly ToldTool[]): ResultOf {
  const calls = new Queues();
  for (const tool of told) if (tool.kind === 'call' && tool.id !== undefined) calls.add(tool.id, tool);
  const resultOf: ResultOf = new Map();
  for (const tool of told) {
    const call = tool.kind === 'result' && tool.id !== undefined ? calls.oldest(tool.id, resultOf) : undefined;
    if (call) resultOf.set(call, tool);
  }
  return resultOf;
}

/** Adds the results that no id joined. A workflow's own calls and results keep to themselves. */
function joinByName(told: readonly ToldTool[], resultOf: ResultOf): void {
  const joined = new Set(resultOf.values());
  const calls = new Queues();
  const callsWithoutId = new Queues();
  for (const tool of told) {
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

/** Calls that may wait for a result, by a key. */
class Queues {
  readonly #queues = new Map<string, { calls: ToldTool[]; next: number }>();

  add(key: string, call: ToldTool): void {
    const queue = this.#queues.get(key);
    if (queue) queue.calls.push(call);
    else this.#queues.set(key, { calls: [call], next: 0 });
  }

  /** The oldest call that has no result. */
  oldest(key: string, resultOf: ResultOf): ToldTool | undefined {
    const queue = this.#queues.get(key);
    if (queue === undefined) return undefined;
    while (queue.next < queue.calls.length) {
      const call = queue.calls[queue.next++];
      if (call && !resultOf.has(call)) return call;
    }
    return undefined;
  }
}

/** An id that literally stands in the transcript is its own, also one that reads like the second use of another. */
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
