import type { EventKind } from './signed-events.ts';

/** What the generator is to send. */
export interface Load {
  kind: EventKind;
  /** Events made ahead; the run ends when they are used up. */
  count: number;
  /** A word that no other run has: ids are made from it. */
  run: string;
  /** Connections are spread over these, in turn. */
  ports: readonly number[];
  connections: number;
  seconds: number;
  /** Open loop, if given: request k is due k / rate seconds after the start, whatever became of those before. */
  ratePerSecond?: number;
}

/** What became of a load. Times in milliseconds. */
export interface LoadResult {
  /** Unix time of the first request. */
  startedAt: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** Ledger ids of the events answered 200, with the unix time of each answer. */
  accepted: { ids: string[]; at: Float64Array };
  /** Ledger ids of those answered otherwise. */
  refused: string[];
  /** Sent, and never answered. */
  unknown: number;
  /** Of an open loop: how late the last request left, and how many were due and never left. */
  behindMs: number;
  unsent: number;
  latencyMs: { p50: number; p99: number; p999: number };
  /** Of the generator itself. */
  cpuSeconds: number;
}

/** To the generator's process. */
export type Command = { prepare: Load } | 'run' | 'leave';

/** From the generator's process. */
export type Reply = 'prepared' | { result: LoadResult };
