import { onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock, type Clock } from '../../src/clock.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import type { Range } from '../../src/segment/ranges.ts';
import { beginRecord, decodeRecord, sealRecord } from '../../src/segment/record.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { event } from './a-journal.ts';

/** The process and the time by which `begun` begins a segment. */
export const OWNER = '0123456789ab';
export const AT = 1_767_225_600_000;

/** A segment that was just begun, in a folder of the test's own unless one is named. */
export async function begun(folder?: string): Promise<Segment> {
  const segment = await beginSegment(folder ?? (await makeTempFolder()), OWNER, { at: AT, number: 0 });
  onTestFinished(() => segment.close());
  return segment;
}

/** The segment as another process opens it. */
export async function reopened(segment: Segment): Promise<Segment> {
  const opened = await openSegment(segment.path());
  if (opened === undefined) throw new Error('It does not begin as a segment.');
  onTestFinished(() => opened.close());
  return opened;
}

/** Appends a record for each body, as the writer does. */
export function append(
  segment: Segment,
  bodies: readonly string[],
  { at = AT, isLate = false, clock = createClock() }: { at?: number; isLate?: boolean; clock?: Clock } = {},
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
