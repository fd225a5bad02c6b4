import type { FaultClass } from '@landline/store';

/**
 * What the worker does about a failure of the database:
 * - `again`: at once, a few times, then as `pause`;
 * - `pause`: wait until the database is well, then again; no attempt is spent, for the cause is outside of the events;
 * - `retry`: as `pause` where the database could not do our work at all; else the job goes back for a later attempt; from the second on its events are told apart, so that neighbours do
 *   not wait, and at the last those that still fail are treated as by `isolate`;
 * - `isolate`: find the events at fault, apply the others, and make dead letters of those.
 */
export type FaultAction = 'again' | 'pause' | 'retry' | 'isolate';

/** The only table from an error to what is done about it. `alarm`: a person has to look, and the log says so. */
export const FAULT_POLICY: Record<FaultClass, { action: FaultAction; alarm: boolean }> = {
  conflict: { action: 'again', alarm: false },
  connection: { action: 'pause', alarm: false },
  resources: { action: 'pause', alarm: true },
  configuration: { action: 'pause', alarm: true },
  corruption: { action: 'pause', alarm: true },
  timeout: { action: 'retry', alarm: false },
  unknown: { action: 'retry', alarm: false },
  data: { action: 'isolate', alarm: false },
};
