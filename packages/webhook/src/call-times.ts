import type { Fields } from './fields.ts';

/** A call's start in unix milliseconds, and its duration in seconds. */
export interface CallTimes {
  startedAt: number | undefined;
  durationSeconds: number | undefined;
}

/** Reads a call's start and duration from its metadata; each is undefined where the metadata lacks it. */
export function readCallTimes(call: Fields): CallTimes {
  return {
    startedAt: call.time('start_time_unix_secs', 'accepted_time_unix_secs', 'start_time', 'started_at'),
    durationSeconds: call.number('call_duration_secs', 'duration_seconds', 'duration_secs'),
  };
}
