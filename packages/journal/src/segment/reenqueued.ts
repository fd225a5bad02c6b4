/** A part of a segment, in bytes, that was enqueued after it had been pending. */
export interface Reenqueued {
  from: number;
  to: number;
  /** The time when Redis took the part's last record, in unix milliseconds. */
  at: number;
}

/**
 * The time for which adjacent parts are merged, in milliseconds. A shorter time makes the list, and every mark, longer.
 */
const STEP_MS = 1000;

/** Adds a part that Redis has taken. */
export function noteReenqueued(list: Reenqueued[], part: Reenqueued): void {
  const last = list.at(-1);
  if (last?.to !== part.from || secondOf(last.at) !== secondOf(part.at)) list.push(part);
  // The later time counts: a loss since then has taken the part's last record.
  else Object.assign(last, { to: part.to, at: Math.max(last.at, part.at) });
}

function secondOf(at: number): number {
  return Math.floor(at / STEP_MS);
}
