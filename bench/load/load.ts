import type { EventKind } from './signed-events.ts';

/** A load: the requests that the generator sends. */
export interface Load {
  kind: EventKind;
  /** The number of events, which are made ahead. The run ends when all of them have been sent. */
  count: number;
  /** A word that no other run uses: the ids contain it. */
  run: string;
  /** The URLs of the receivers. The connections are spread over them, in turn. */
  ports: readonly number[];
  connections: number;
  seconds: number;
  /** The rate of an open loop: request k is due k / rate seconds after the start, also where earlier requests are late. */
  ratePerSecond?: number;
}

/** The outcome of a load. Times are in milliseconds. */
export interface LoadResult {
  /** Unix time of the first request. */
  startedAt: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** Ledger ids of the events answered 200, with the unix time of each answer. */
  accepted: { ids: string[]; at: Float64Array };
  /** Ledger ids of the events with another answer. */
  refused: string[];
  /** Ledger ids of the events that were sent and never answered. */
  unknown: number;
  /** In an open loop: how late the last request was sent, and how many requests were due and never sent. */
  behindMs: number;
  unsent: number;
  latencyMs: { p50: number; p99: number; p999: number };
  /** CPU time of the generator. */
  cpuSeconds: number;
}

/** A message to the generator's process. */
export type Command = { prepare: Load } | 'run' | 'leave';

/** A message from the generator's process. */
export type Reply = 'prepared' | { result: LoadResult };
