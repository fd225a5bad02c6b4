import { fieldsOf, type Fields } from '../fields.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';

/** A tool call or a tool's result in a transcript. */
export interface ToolEntry {
  kind: 'call' | 'result';
  /** `request_id`; undefined where it is missing, empty or too long for a key. */
  id: string | undefined;
  name: string | undefined;
  type: string | undefined;
  /** The parameters of a call, or the value of a result. */
  value: Json | undefined;
  isError: boolean | undefined;
  latencySeconds: number | undefined;
  /** The fields that have no column. */
  rest: JsonObject;
  /**
   * The place in the transcript: the turn's position and the index in its list, and so on for each level of nesting.
   */
  place: string;
  /** The place of the workflow's result that contains the entry; empty outside of workflows. */
  scope: string;
  /** The turn's time, in unix milliseconds. */
  at: number;
}

/**
 * The greatest depth of workflows that is read. A deeper workflow stays in the result that contains it. The provider
 * nests one level.
 */
const MAX_NESTING = 8;

interface Place {
  /** See `ToolEntry`. The place of a list, or of an item of it. */
  place: string;
  scope: string;
  depth: number;
  at: number;
}

/** Adds the tool calls of a turn to `entries`, then its results and the workflow calls in them. */
export function readToolsOf(
  fields: Fields,
  { position, at }: { position: number; at: number },
  entries: ToolEntry[],
): void {
  const calls = fields.array('tool_calls');
  const results = fields.array('tool_results');
  if (calls === undefined && results === undefined) return;
  readLists({ calls, results }, { place: String(position), scope: '', depth: 0, at }, entries);
}

interface Lists {
  calls?: Json[] | undefined;
  results?: Json[] | undefined;
}

function readLists({ calls = [], results = [] }: Lists, where: Place, entries: ToolEntry[]): void {
  for (const [i, call] of calls.entries()) {
    if (call !== null) entries.push(toolEntry('call', call, itemAt(where, i)));
  }
  for (const [i, json] of results.entries()) {
    if (json === null) continue;
    const result = toolEntry('result', json, itemAt(where, i));
    if (isEmptyEntry(result)) continue;
    entries.push(result);
    if (where.depth < MAX_NESTING) readSteps(result, { ...where, depth: where.depth + 1 }, entries);
  }
}

/** Returns the place of a list's item. */
function itemAt(list: Place, index: number): Place {
  return { ...list, place: `${list.place}.${index}` };
}

function toolEntry(kind: ToolEntry['kind'], json: Json, { place, scope, at }: Place): ToolEntry {
  const fields = fieldsOf(isObject(json) ? json : { [kind]: json });
  const isResult = kind === 'result';
  const tool: ToolEntry = {
    kind,
    id: fields.key('request_id'),
    name: fields.text('tool_name'),
    type: fields.text('type'),
    value: jsonOrText(fields.any(isResult ? 'result_value' : 'params_as_json')),
    isError: isResult ? fields.boolean('is_error') : undefined,
    latencySeconds: isResult ? fields.number('tool_latency_secs') : undefined,
    rest: {},
    place,
    scope,
    at,
  };
  tool.rest = fields.rest();
  return tool;
}

/** Returns whether all fields of a result are null. Such a result belongs to no call. */
function isEmptyEntry({ id, name, type, value, isError, latencySeconds, rest }: ToolEntry): boolean {
  const named = id ?? name ?? type ?? value ?? isError ?? latencySeconds;
  return named === undefined && Object.keys(rest).length === 0;
}

/** Reads the calls that a workflow made: `requests` and `results` of each step. */
function readSteps(result: ToolEntry, where: Place, entries: ToolEntry[]): void {
  for (const [i, step] of stepsOf(result).entries()) {
    if (!isObject(step)) continue;
    const inner = { ...where, place: `${result.place}.${i}`, scope: result.place };
    readLists({ calls: toolsIn(step['requests']), results: toolsIn(step['results']) }, inner, entries);
  }
}

/**
 * Returns the steps of a workflow. The provider writes them twice: in `result`, and as text in `result_value`. Another
 * tool's `result_value` may hold anything.
 */
function stepsOf({ rest: { result }, type, value }: ToolEntry): Json[] {
  if (isObject(result) && Array.isArray(result['steps'])) return result['steps'];
  return type === 'workflow' && isObject(value) && Array.isArray(value['steps']) ? value['steps'] : [];
}

function toolsIn(list: Json | undefined): Json[] {
  return Array.isArray(list) ? list.filter((item) => isObject(item) && typeof item['tool_name'] === 'string') : [];
}
