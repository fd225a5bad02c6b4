import type { Cutoffs } from '@landline/store';
import { z } from 'zod';
import { counted } from '../counted.ts';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';
import type { RetentionPorts } from './retention-ports.ts';

/** What is counted: its noun, and what is told of it. */
export const COUNTED = {
  days: ['day', ' of bodies'],
  old_bodies: ['body', ' in the ledger'],
  stored_bodies: ['body', ' in the storage'],
  events: ['id', ' of the ledger'],
  letters: ['dead letter', ''],
  transcripts: ['transcript', ' by order'],
  audio: ['recording', ' by order'],
  conversations: ['conversation', ''],
  recordings: ['recording', ''],
  rejected: ['refused request', ''],
  files: ['file', ''],
} as const;

/** A name of `COUNTED`. */
export type Counted = keyof typeof COUNTED;

/** Where a run goes on: the steps before `step` are through. */
export const checkpointSchema = z.object({
  step: z.number().default(0),
  counts: z.record(z.string(), z.number()).default({}),
  /** Why something stays, and is tried again by the next run. */
  left: z.array(z.string()).default([]),
});

/** What a step of a run works with. */
export interface RetentionTask {
  context: OperationContext;
  ports: RetentionPorts;
  cutoffs: Cutoffs;
  /** What the newest run before had for its cutoffs; undefined where there was none with the same policy today. */
  before: Cutoffs | undefined;
  /** Adds to the counts, and to the progress. */
  readonly count: (what: Counted, done: number) => void;
  /** Notes that so many things stay, and why. */
  readonly leave: (count: number, why: string) => void;
}

/** Makes what counts the work of a run in its checkpoint and its progress; both are written together. */
export function createCounting({ progress, report }: OperationContext): Pick<RetentionTask, 'count' | 'leave'> {
  const state = () => checkpointSchema.parse(progress().checkpoint ?? {});
  return {
    count(what, done) {
      if (done === 0) return;
      const { counts, ...rest } = state();
      const sum = { ...counts, [what]: (counts[what] ?? 0) + done };
      report({ done: progress().done + done, checkpoint: { ...rest, counts: sum } });
    },
    leave(count, why) {
      const { left, ...rest } = state();
      report({ failed: progress().failed + count, checkpoint: { ...rest, left: [...left, why] } });
    },
  };
}

/** Says what a run did, and what stays; null where there was nothing to do. */
export function describeRun({ counts, left }: z.infer<typeof checkpointSchema>): string | null {
  const done = Object.entries(COUNTED).flatMap(([name, [noun, more]]) => {
    const count = counts[name] ?? 0;
    return count === 0 ? [] : [`${counted(count, noun)}${more}`];
  });
  const parts = [...(done.length === 0 ? [] : [`Deleted: ${done.join(', ')}.`]), ...left];
  return parts.length === 0 ? null : parts.join(' ');
}

/**
 * Does work in batches until a batch finds nothing. After each it rests for as long as the batch took, because events on their way need the same disk.
 *
 * @param batch  One transaction; returns how many it found. Where it fails it has no effect.
 * @throws       The reason of the signal, which is looked at before each batch.
 */
export async function inBatches(context: OperationContext, batch: () => Promise<number>): Promise<void> {
  // oxlint-disable no-await-in-loop -- one batch after the other
  for (;;) {
    await context.hold();
    const begun = performance.now();
    const found = await context.retry(batch);
    if (found === 0) return;
    await pause(performance.now() - begun, context.signal);
  }
  // oxlint-enable no-await-in-loop
}
