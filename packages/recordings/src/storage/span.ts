import type { ReadOptions } from './storage.ts';

/** A range of bytes: the offsets of its first and its last byte. Without `end` it goes to the content's end. */
export interface Span {
  start: number;
  end: number | undefined;
}

/** Returns the range that is asked for; undefined: the whole content. @throws RangeError for offsets that are none */
export function spanOf({ start, end }: ReadOptions): Span | undefined {
  if (start === undefined && end === undefined) return undefined;
  const span = { start: start ?? 0, end };
  if (!isOffset(span.start) || (end !== undefined && (!isOffset(end) || end < span.start))) {
    throw new RangeError(`A range goes from one offset to another that is not smaller, not from ${start} to ${end}.`);
  }
  return span;
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
