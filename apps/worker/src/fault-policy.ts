import type { FaultClass } from '@landline/store';

/**
 * What the worker does about a failure of the database:
 * - `again`: at once, a few times, then as `pause`;
 * - `pause`: wait until the database is well, then again; no attempt is spent, for the cause is outside of the events;
 * - `retry`: as `pause` where the database could not do our work at all. Else the job goes back for a later attempt. From the second
 *   attempt on its events are tried apart, so that neighbours do not wait. At the last one, those that still fail are treated as by
 *   `isolate`;
 * - `isolate`: find the events at fault, apply the others, and make dead letters of those.
 */
export type FaultAction = 'again' | 'pause' | 'retry' | 'isolate';

/** See `FAULT_POLICY`. */
interface FaultRule {
  action: FaultAction;
  /** A person has to look, and the log says so. */
  alarm: boolean;
  /**
   * How many pauses one attempt at a job is given in which others got through. Past that the fault comes with the job: it counts as `retry`,
   * so that its neighbours are applied and, after all attempts, the event becomes a dead letter. In an outage nobody gets through, so an
   * outage spends none of them.
   */
  pausesAlone: number;
}

/**
 * Some two minutes of pauses, in each of eight attempts, and what the statements take: a lock on one row, or a long transaction of a person,
 * is over by then.
 */
const MANY_PAUSES = 30;

/** An event that Postgres cannot store fails at once, each time. */
const FEW_PAUSES = 6;

/** The only table from an error to what is done about it. */
export const FAULT_POLICY: Record<FaultClass, FaultRule> = {
  conflict: { action: 'again', alarm: false, pausesAlone: MANY_PAUSES },
  connection: { action: 'pause', alarm: false, pausesAlone: MANY_PAUSES },
  resources: { action: 'pause', alarm: true, pausesAlone: MANY_PAUSES },
  configuration: { action: 'pause', alarm: true, pausesAlone: MANY_PAUSES },
  corruption: { action: 'pause', alarm: true, pausesAlone: FEW_PAUSES },
  timeout: { action: 'retry', alarm: false, pausesAlone: MANY_PAUSES },
  unknown: { action: 'retry', alarm: false, pausesAlone: MANY_PAUSES },
  data: { action: 'isolate', alarm: false, pausesAlone: 0 },
};
