import { createClock, type Clock } from '../../src/clock.ts';
import type { Range } from '../../src/segment/ranges.ts';
import { beginRecord, decodeRecord, sealRecord } from '../../src/segment/record.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { event } from './a-journal.ts';

/** Appends a record for each body, as the writer does. */
export function append(
  segment: Segment,
  bodies: readonly string[],
  {
    at = 1_767_225_600_000,
    isLate = false,
    clock = createClock(),
  }: { at?: number; isLate?: boolean; clock?: Clock } = {},
): Promise<Range[]> {
  const records = bodies.map((body) => sealRecord(beginRecord([event(body)]), at, segment.facts.seed));
  return segment.append(records, { at, clock, isLate: () => isLate });
}

/** The bodies of all that is pending in a segment; `damage` where there is some. */
export async function bodiesIn(segment: Segment): Promise<string[]> {
  const bodies: string[] = [];
  for (const range of segment.pending()) {
    for await (const found of segment.read(range)) {
      if (found.kind === 'record') bodies.push(...decodeRecord(found.record).events.map(({ body }) => body));
      else bodies.push('damage');
    }
  }
  return bodies;
}
