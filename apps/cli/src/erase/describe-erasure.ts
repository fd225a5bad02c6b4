import { counted, describeErasure } from '@landline/operations';
import type { Erasure, ErasurePlan, Operation, Subject } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { escapeControls, showControls } from '../format-table.ts';
import { describeOperation, operationDocument } from '../operations/describe-operation.ts';
import { complain } from '../operations/follow-operation.ts';

/** What is told where a number is that of several users. */
const SHARED =
  'users have called from this number: the calls of all of them are forgotten. To forget one of them alone, use --user.';

/** Prints a plan. @returns the exit code: 1 where there is nothing of the subject */
export function printPlan(
  plan: ErasurePlan,
  { subject, json }: { subject: Subject; json: boolean },
  context: CommandContext,
): number {
  context.print(
    json ? escapeControls(JSON.stringify({ by: subject.by, ...plan }, undefined, 2)) : describePlan(plan, subject),
  );
  if (!isNothing(plan)) return 0;
  complain(`There is no ${WORDS[subject.by]} ${showControls(subject.value)}.`, context);
  return 1;
}

const WORDS = { conversation: 'conversation', user: 'user', number: 'call from' } as const;

/** Describes a plan for a person. */
export function describePlan(plan: ErasurePlan, { by }: Subject): string {
  const { conversations, messages, tool_calls, commands, events, recordings, profiles, users } = plan;
  const parts = [counted(messages, 'message'), counted(tool_calls, 'tool call'), counted(commands, 'command')];
  const lines = [
    `${counted(conversations, 'conversation')} with ${parts.join(', ')} and ${counted(recordings, 'recording')}`,
    `  bodies of ${counted(events, 'event')} of the ledger; the ids stay`,
    `  ${counted(profiles, 'profile')}`,
    '  and what Redis, refused requests and the tables of a rebuild hold of it, which the worker counts',
  ];
  if (plan.erased_before > 0) lines.push(`  erased before: ${counted(plan.erased_before, 'conversation')}`);
  if (by === 'number' && users > 1) lines.push(`  ${users} ${SHARED}`);
  return lines.join('\n');
}

function isNothing({ conversations, erased_before, profiles }: ErasurePlan): boolean {
  return conversations + erased_before + profiles === 0;
}

/** Tells whether neither the plan nor the erasure found anything of the subject. */
export function hasNothing(plan: ErasurePlan, erasure: Erasure | undefined): boolean {
  const found = Object.values(erasure?.counts ?? {}).some((count) => typeof count === 'number' && count > 0);
  return isNothing(plan) && !found;
}

/** Prints how an erasure ended. */
export function printEnd(
  { operation, erasure, json }: { operation: Operation; erasure: Erasure | undefined; json: boolean },
  { print }: CommandContext,
): void {
  if (json) {
    const document = { ...operationDocument(operation), counts: erasure?.counts ?? {} };
    print(escapeControls(JSON.stringify(document, undefined, 2)));
    return;
  }
  print(describeOperation(operation));
  if (erasure === undefined) return;
  print(`forgotten     ${describeErasure(erasure.counts)}`);
  print(`journals      have nothing of it from ${String(erasure.counts['journal_until'] ?? '')} on`);
  print('ElevenLabs    still has its copy: docs/erasure.md says what to delete there');
}
