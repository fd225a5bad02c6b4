import { RETENTION, type Cutoffs } from '@landline/store';
import { z } from 'zod';
import { OperationFailedError } from '../errors.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import {
  deleteEvents,
  deleteLetters,
  deleteRecordings,
  deleteRejected,
  deleteStoredBodies,
  dropBodies,
  removeFiles,
} from './delete.ts';
import { carryOutOrders, forgetOldConversations } from './forget.ts';
import { cutoffsOf, policyWords, readPolicyWords, type RetentionPolicy } from './policy.ts';
import type { RetentionPorts } from './retention-ports.ts';
import { checkpointSchema, createCounting, describeRun, type RetentionTask } from './retention-task.ts';

const DAY_MS = 86_400_000;

/**
 * The steps of a run, in their order: what somebody ordered comes first, and the storage after all that puts files on its list. Letters go before the
 * ids by which their age is known. A checkpoint holds the place of a step in this list.
 */
const STEPS: readonly ((task: RetentionTask) => Promise<void>)[] = [
  carryOutOrders,
  forgetOldConversations,
  deleteRecordings,
  deleteStoredBodies,
  dropBodies,
  deleteLetters,
  deleteEvents,
  deleteRejected,
  removeFiles,
  ({ ports, cutoffs, context }) => context.retry(() => ports.store.retention.deleteOperations(cutoffs.events)),
];

/**
 * Makes the kind of operations that deletes what is too old, and what accounts of calls order to be deleted. Each step does its work in batches, one
 * transaction each, and finds what is left by itself: a worker that takes over begins at the step in which the worker before was.
 *
 * The filter is the policy, as `policyWords` writes it. The cutoffs are those of the time at which the run began, by the database's clock, also after
 * another worker has taken over.
 */
export function retentionKind(ports: RetentionPorts): OperationKind {
  return { kind: RETENTION, run: (context) => runRetention(context, ports) };
}

async function runRetention(context: OperationContext, ports: RetentionPorts): Promise<void> {
  const { operation, report, progress } = context;
  const read = readPolicyWords(operation.filter);
  if (!read.success) throw new OperationFailedError(`The policy cannot be read: ${z.prettifyError(read.error)}`);
  const { clock = (startedAt) => startedAt } = ports;
  const cutoffs = cutoffsOf(read.data, clock(operation.startedAt ?? operation.createdAt));
  const before = await cutoffsBefore(read.data, { context, ports, now: cutoffs.now });
  const task: RetentionTask = { context, ports, cutoffs, before, ...createCounting(context) };
  const checkpoint = () => checkpointSchema.parse(progress().checkpoint ?? {});
  // oxlint-disable no-await-in-loop -- one step after the other
  for (const [i, step] of STEPS.entries()) {
    if (i < checkpoint().step) continue;
    await step(task);
    report({ checkpoint: { ...checkpoint(), step: i + 1 } });
  }
  // oxlint-enable no-await-in-loop
  const { done, failed } = progress();
  // Who asked by a plan has said how many there are; later ones may have come to it.
  report({ total: done + failed, message: describeRun(checkpoint()) });
}

/** Returns the cutoffs of the newest run, where it had the same policy and was on the same day. */
async function cutoffsBefore(
  policy: RetentionPolicy,
  { context, ports, now }: { context: OperationContext; ports: RetentionPorts; now: number },
): Promise<Cutoffs | undefined> {
  const last = await context.retry(() => ports.store.retention.lastRun());
  if (last === undefined) return undefined;
  const read = readPolicyWords(last.filter);
  if (!read.success || JSON.stringify(policyWords(read.data)) !== JSON.stringify(policyWords(policy))) return undefined;
  const { clock = (startedAt) => startedAt } = ports;
  const cutoffs = cutoffsOf(policy, clock(last.startedAt));
  return Math.floor(cutoffs.now / DAY_MS) === Math.floor(now / DAY_MS) ? cutoffs : undefined;
}
