/** A part of a segment, in bytes, that was enqueued later than it was written. */
export interface Reenqueued {
  from: number;
  to: number;
  /** When Redis took the last of it, in unix milliseconds. */
  at: number;
}

/** Parts of one second, one after the other, are kept as one, in milliseconds: the list stays short. */
const STEP_MS = 1000;

/** Notes that a part of a segment has been enqueued after the fact. */
export function noteReenqueued(list: Reenqueued[], part: Reenqueued): void {
  const last = list.at(-1);
  if (last?.to !== part.from || secondOf(last.at) !== secondOf(part.at)) list.push(part);
  // The later time is the one that counts: a loss since then has taken the last of it.
  else Object.assign(last, { to: part.to, at: Math.max(last.at, part.at) });
}

function secondOf(at: number): number {
  return Math.floor(at / STEP_MS);
}
