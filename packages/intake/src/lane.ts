import type { Group } from './group.ts';

/**
 * How many writes to one Redis a lane may have under way. A group with room left gathers while any write is: groups grow with the load, and
 * one fsync answers more events. A full group (`maxEvents`, `maxBytes`) has nothing to wait for. It is sent beside the others, so that
 * Redis has the next large group when it is ready.
 */
export const MAX_WRITES_IN_FLIGHT = 4;

/** Groups that are written one after the other. */
export interface Lane {
  /** Most events and bytes of a group. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** How many Redis there are: a group with room left may leave while fewer writes are under way. */
  readonly shards: number;
  /** Groups that gather, oldest first. */
  readonly gathering: Group[];
  /** Writes to Redis under way. */
  inFlight: number;
  isScheduled: boolean;
}

/** Opens an empty lane for groups of so many events and bytes. */
export function openLane({ maxEvents, maxBytes, shards }: Pick<Lane, 'maxEvents' | 'maxBytes' | 'shards'>): Lane {
  return { maxEvents, maxBytes, shards, gathering: [], inFlight: 0, isScheduled: false };
}

/** Tells whether a Redis may be without a write under way. */
export function isIdle({ inFlight, shards }: Lane): boolean {
  return inFlight < shards;
}

/** Tells whether the first gathering group may leave for Redis. Where none is idle, it may only when it has no room left. */
export function mayLeave({ gathering, inFlight, shards, maxEvents, maxBytes }: Lane, hasIdle: boolean): boolean {
  const [first] = gathering;
  if (first === undefined || inFlight >= MAX_WRITES_IN_FLIGHT * shards) return false;
  return hasIdle || gathering.length > 1 || first.events.length >= maxEvents || first.bytes >= maxBytes;
}

/** Returns the group that an event of so many bytes may join; undefined where it needs a new one. */
export function groupWithRoom({ gathering, maxEvents, maxBytes }: Lane, bytes: number): Group | undefined {
  const last = gathering.at(-1);
  return last !== undefined && last.events.length < maxEvents && last.bytes + bytes <= maxBytes ? last : undefined;
}
