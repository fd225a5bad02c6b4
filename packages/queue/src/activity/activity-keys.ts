import { shardPlaces, type NamedPlace, type QueueServers } from '../servers/shard-places.ts';

/** How long a minute lasts, in ms. */
export const MINUTE_MS = 60_000;

/** How long a slot lasts, in ms. Slots are for what is shown now: a minute is not over for up to a minute. */
export const SLOT_MS = 5000;

/** How long Redis keeps a minute, in ms: a day and an hour, so that the console can show a whole day. */
export const MINUTE_KEPT_MS = 25 * 3_600_000;

/** How long Redis keeps a slot, in ms. */
export const SLOT_KEPT_MS = 180_000;

/** How long a process counts as there after its last sample, in ms: three samples. */
export const SAMPLE_KEPT_MS = 15_000;

/** Returns the place of the first shard, which has the activity of all. */
export function activityPlace(servers: QueueServers): NamedPlace {
  return shardPlaces(servers)[0];
}

/** Returns the start of the minute or slot of `lengthMs` that a time falls into. */
export function startOf(at: number, lengthMs: number): number {
  return Math.floor(at / lengthMs) * lengthMs;
}

/** The keys of the activity. All of them lie in the slot of the prefix. */
export const activityKeys = {
  minute: (prefix: string, at: number) => `${prefix}:activity:minute:${at}`,
  slot: (prefix: string, at: number) => `${prefix}:activity:slot:${at}`,
  /** A hash of the processes' samples, by the name of its run. */
  processes: (prefix: string) => `${prefix}:activity:processes`,
  /** The number of the last batch that Redis took from a run of a process. */
  taken: (prefix: string, run: string) => `${prefix}:activity:taken:${run}`,
} as const;
