/** The places in which an erasure forgets, in the order in which they are told, each with its words. */
const PLACES = [
  ['conversations', 'conversations'],
  ['messages', 'messages'],
  ['tool_calls', 'tool calls'],
  ['commands', 'commands'],
  ['bodies', 'bodies'],
  ['events', 'events with an error or a reference'],
  ['recordings', 'recordings'],
  ['files', 'files of recordings'],
  ['files_left', 'files that could not be removed so far'],
  ['profiles', 'profiles'],
  ['rejected_requests', 'refused requests'],
  ['redis_waiting', 'events that waited in Redis'],
  ['redis_resting', 'events that rested in Redis'],
  ['dead_letters', 'dead letters'],
  ['requests', 'requests of the console'],
  ['kept_rows', 'rows of a rebuild'],
  ['operations', 'filters of operations'],
] as const;

/** A place in which an erasure forgets. */
export type ErasurePlace = (typeof PLACES)[number][0];

/** How much was forgotten, by place; a place that is missing: none. */
export type ErasureCounts = Partial<Record<ErasurePlace, number>>;

/** Says how much was forgotten: `2 conversations, 14 messages, …`. */
export function describeErasure(counts: Readonly<Record<string, number | string | undefined>>): string {
  const told = PLACES.flatMap(([place, words]) => (counts[place] ? [`${counts[place]} ${words}`] : []));
  return told.length === 0 ? 'nothing was found' : told.join(', ');
}
