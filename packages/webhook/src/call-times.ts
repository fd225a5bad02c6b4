import type { Fields } from './fields.ts';

/** When a call began, in unix milliseconds, and how long it took. */
export interface CallTimes {
  startedAt: number | undefined;
  durationSeconds: number | undefined;
}

/** Reads a call's times from its metadata. */
export function readCallTimes(call: Fields): CallTimes {
  return {
    startedAt: call.time('start_time_unix_secs', 'accepted_time_unix_secs', 'start_time', 'started_at'),
    durationSeconds: call.number('call_duration_secs', 'duration_seconds', 'duration_secs'),
  };
}
