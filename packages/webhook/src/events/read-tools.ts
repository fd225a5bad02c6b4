import { fieldsOf, type Fields } from '../fields.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';

/** A tool call or a tool's result as a transcript tells it. */
export interface ToldTool {
  kind: 'call' | 'result';
  /** `request_id`; undefined where it is missing, empty or no key. */
  id: string | undefined;
  name: string | undefined;
  type: string | undefined;
  /** Of a call its parameters, of a result what came of it. */
  value: Json | undefined;
  isError: boolean | undefined;
  latencySeconds: number | undefined;
  /** What the columns have no place for. */
  rest: JsonObject;
  /** Where it stands: the turn's position and its own in the list, and so on for each level of nesting. */
  place: string;
  /** The place of the workflow's result in which it is nested; empty at the top. */
  scope: string;
  /** When it was told, in unix milliseconds. */
  at: number;
}

/** Deeper than this a workflow within a workflow stays in the result that tells of it. The provider nests one level. */
const MAX_NESTING = 8;

interface Place {
  /** As in `ToldTool`: of a list, or of an item of it. */
  place: string;
  scope: string;
  depth: number;
  at: number;
}

/** Reads the tool calls of a turn, then its results and what is nested in them, and adds them to `told`. */
export function readToolsOf(
  fields: Fields,
  { position, at }: { position: number; at: number },
  told: ToldTool[],
): void {
  const calls = fields.array('tool_calls');
  const results = fields.array('tool_results');
  if (calls === undefined && results === undefined) return;
  readLists({ calls, results }, { place: String(position), scope: '', depth: 0, at }, told);
}

interface Lists {
  calls?: Json[] | undefined;
  results?: Json[] | undefined;
}

function readLists({ calls = [], results = [] }: Lists, where: Place, told: ToldTool[]): void {
  for (const [i, call] of calls.entries()) {
    if (call !== null) told.push(toldTool('call', call, itemAt(where, i)));
  }
  for (const [i, json] of results.entries()) {
    if (json === null) continue;
    const result = toldTool('result', json, itemAt(where, i));
    if (saysNothing(result)) continue;
    told.push(result);
    if (where.depth < MAX_NESTING) readSteps(result, { ...where, depth: where.depth + 1 }, told);
  }
}

/** The place of a list's item. */
function itemAt(list: Place, index: number): Place {
  return { ...list, place: `${list.place}.${index}` };
}

function toldTool(kind: ToldTool['kind'], json: Json, { place, scope, at }: Place): ToldTool {
  const fields = fieldsOf(isObject(json) ? json : { [kind]: json });
  const isResult = kind === 'result';
  const tool: ToldTool = {
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

/** A result whose fields are all null is nobody's. */
function saysNothing({ id, name, type, value, isError, latencySeconds, rest }: ToldTool): boolean {
  const told = id ?? name ?? type ?? value ?? isError ?? latencySeconds;
  return told === undefined && Object.keys(rest).length === 0;
}

/** Reads the calls that a workflow made: `requests` and `results` of each step. */
function readSteps(result: ToldTool, where: Place, told: ToldTool[]): void {
  for (const [i, step] of stepsOf(result).entries()) {
    if (!isObject(step)) continue;
    const inner = { ...where, place: `${result.place}.${i}`, scope: result.place };
    readLists({ calls: toolsIn(step['requests']), results: toolsIn(step['results']) }, inner, told);
  }
}

/** The provider tells the steps twice, in `result` and as text in `result_value`. Other tools' results may hold anything. */
function stepsOf({ rest: { result }, type, value }: ToldTool): Json[] {
  if (isObject(result) && Array.isArray(result['steps'])) return result['steps'];
  return type === 'workflow' && isObject(value) && Array.isArray(value['steps']) ? value['steps'] : [];
}

function toolsIn(list: Json | undefined): Json[] {
  return Array.isArray(list) ? list.filter((item) => isObject(item) && typeof item['tool_name'] === 'string') : [];
}
