import type { BenchContext } from './bench-context.ts';
import { accept } from './measure/accept.ts';
import { ackLatency } from './measure/ack-latency.ts';
import { apply, applyTranscripts } from './measure/apply.ts';
import { endToEnd } from './measure/end-to-end.ts';
import { growth } from './measure/growth.ts';
import { scale } from './measure/scale.ts';
import { soak } from './measure/soak.ts';
import type { Results } from './results.ts';

/** Adds what it measures to `results`; throws when the work that was measured is wrong. */
export type Measure = (bench: BenchContext, results: Results) => Promise<void>;

/** All measures by name, in the order in which they run. `cost` is measured by end-to-end. */
export const MEASURES: Readonly<Record<string, Measure>> = {
  accept,
  apply,
  'apply-transcripts': applyTranscripts,
  'end-to-end': endToEnd,
  'ack-latency': ackLatency,
  growth,
  scale,
  soak,
};
