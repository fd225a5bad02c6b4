/** Dead events with one fingerprint. Times in unix milliseconds. */
export interface FailureGroup {
  /** 12 hex characters: the word `fingerprint` of an event filter. */
  fingerprint: string;
  code: string;
  /** The message without its variable parts, 300 characters at most. */
  pattern: string;
  count: number;
  /** When the first and the last of them were received. */
  first: number;
  last: number;
  /** The last of them, with the first 1,000 characters of its message. */
  example: { id: string; message: string };
  /** How many there are of each type; `unknown` for those without, and `others` for those behind the first 20 types. */
  types: Readonly<Record<string, number>>;
  /** How many were received in each of the last 24 hours, the oldest hour first; the last one is not over yet. */
  hours: readonly { at: number; count: number }[];
  /** Who marked the group as known, and when. Null also where an event of it died after that. */
  known: { at: number; by: string } | null;
}

/** A part of a group, as a slice of the dead events has it. */
export interface PartOfGroup extends Pick<FailureGroup, 'fingerprint' | 'count' | 'first' | 'last'> {
  /** These three are null in all parts of a group but its first. */
  code: string | null;
  pattern: string | null;
  /** Of the last event. */
  message: string | null;
  type: string | null;
  /** Null before the last 24 hours. */
  hour: number | null;
  /** When the last of them died. */
  died: number;
  /** The id of the last one. */
  example: string;
}

/** A mark by its fingerprint. */
export type Marks = ReadonlyMap<string, { at: number; by: string }>;

interface Growing extends Omit<FailureGroup, 'types' | 'hours' | 'known'> {
  types: Map<string, number>;
  hours: Map<number, number>;
  died: number;
}

/** The groups of all dead events that were looked at. */
export interface GatheredFailures {
  /** Makes the groups, the one with the latest event first; `MOST_GROUPS` at most. It sorts them, so it is called once. */
  groups(): FailureGroup[];
  /** How many events belong to groups beyond `MOST_GROUPS`. */
  readonly others: number;
}

/** Adds up groups slice after slice. */
export interface GrowingFailures extends GatheredFailures {
  /** Adds the parts of a slice. Of a group that is new, the part with the pattern comes first. */
  add(parts: readonly PartOfGroup[]): void;
  /** The fingerprints of the groups that are held. */
  fingerprints(): string[];
}

/** How many groups are held: a fault that names something in a new way each time makes one of each event. */
export const MOST_GROUPS = 2_000;

export const HOUR_MS = 3_600_000;
const HOURS = 24;

/** A type comes from outside: somebody may send a thousand of them. */
const MOST_TYPES = 20;

/** When the first of the last 24 hours begins. @param now Unix ms. */
export function firstHour(now: number): number {
  return (Math.floor(now / HOUR_MS) - HOURS + 1) * HOUR_MS;
}

/** Makes groups, with none in them; slices are added from the newest event on. @param since  As `firstHour` says it. */
export function gatherFailures(marks: Marks, since: number): GrowingFailures {
  const all = new Map<string, Growing>();
  let others = 0;
  return {
    add(parts) {
      for (const part of parts) {
        const group = all.get(part.fingerprint) ?? begun(part);
        if (group === undefined) {
          others += part.count;
        } else {
          all.set(part.fingerprint, group);
          addTo(group, part);
        }
      }
    },
    fingerprints: () => [...all.keys()],
    groups: () =>
      [...all.values()]
        .map((group) => shown(group, marks, since))
        .toSorted((a, b) => b.last - a.last || b.count - a.count),
    get others() {
      return others;
    },
  };
}

/** A group that has no pattern is beyond those that are held. */
function begun({ fingerprint, code, pattern, message, first, last, died, example }: PartOfGroup): Growing | undefined {
  if (code === null || pattern === null) return undefined;
  const nothing = { count: 0, types: new Map<string, number>(), hours: new Map<number, number>() };
  return {
    fingerprint,
    code,
    pattern,
    first,
    last,
    died,
    example: { id: example, message: message ?? '' },
    ...nothing,
  };
}

function addTo(group: Growing, part: PartOfGroup): void {
  group.count += part.count;
  group.first = Math.min(group.first, part.first);
  group.last = Math.max(group.last, part.last);
  group.died = Math.max(group.died, part.died);
  const type = part.type ?? 'unknown';
  const name = group.types.has(type) || group.types.size < MOST_TYPES ? type : 'others';
  group.types.set(name, (group.types.get(name) ?? 0) + part.count);
  if (part.hour !== null) group.hours.set(part.hour, (group.hours.get(part.hour) ?? 0) + part.count);
}

function shown({ types, hours, died, ...group }: Growing, marks: Marks, since: number): FailureGroup {
  const mark = marks.get(group.fingerprint);
  return {
    ...group,
    types: Object.fromEntries([...types].toSorted(([, a], [, b]) => b - a)),
    hours: Array.from({ length: HOURS }, (_, i) => {
      const at = since + i * HOUR_MS;
      return { at, count: hours.get(at) ?? 0 };
    }),
    known: mark !== undefined && died <= mark.at ? mark : null,
  };
}
