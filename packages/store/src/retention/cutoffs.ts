/** Before when things are to go. Times in unix milliseconds; null: they are kept. */
export interface Cutoffs {
  /** The time of the run: what an account orders to be deleted until then is due. */
  now: number;
  /** By receipt: the beginning of a day in UTC, because bodies go by the day. */
  bodies: number;
  /** By receipt: the beginning of a day in UTC, no later than that of the bodies. */
  events: number;
  /** By the beginning of the call. */
  conversations: number | null;
  /** By the time of the call. */
  recordings: number | null;
  /** By receipt. */
  rejected: number;
}
