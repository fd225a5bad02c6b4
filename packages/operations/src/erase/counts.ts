import { counted } from '../counted.ts';

/** The places in which an erasure forgets, in the order in which they are told, each with the noun of what it forgets there, and what is told of that. */
const PLACES = [
  ['conversations', 'conversation', ''],
  ['messages', 'message', ''],
  ['tool_calls', 'tool call', ''],
  ['commands', 'command', ''],
  ['bodies', 'body', ''],
  ['events', 'event', ' with an error or a reference'],
  ['recordings', 'recording', ''],
  ['files', 'file', ' of recordings'],
  ['files_left', 'file', ' that could not be removed so far'],
  ['profiles', 'profile', ''],
  ['listed', 'call', ' that never came, of which the title and the summary went'],
  ['rejected_requests', 'refused request', ''],
  ['redis_waiting', 'event', ' that waited in Redis'],
  ['redis_resting', 'event', ' that rested in Redis'],
  ['dead_letters', 'dead letter', ''],
  ['requests', 'request', ' of the console'],
  ['kept_rows', 'row', ' of a rebuild'],
  ['operations', 'filter', ' of operations'],
] as const;

/** A place in which an erasure forgets. */
export type ErasurePlace = (typeof PLACES)[number][0];

/** How much was forgotten, by place; a place that is missing: none. */
export type ErasureCounts = Partial<Record<ErasurePlace, number>>;

/** Says how much was forgotten: `2 conversations, 14 messages, …`. */
export function describeErasure(counts: Readonly<Record<string, number | string | undefined>>): string {
  const told = PLACES.flatMap(([place, noun, more]) =>
    counts[place] ? [`${counted(Number(counts[place]), noun)}${more}`] : [],
  );
  return told.length === 0 ? 'nothing was found' : told.join(', ');
}
