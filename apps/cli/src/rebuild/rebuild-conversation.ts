import { explainConversationRefusal, REBUILD_CONVERSATION } from '@landline/operations';
import { openConversationRebuilds, refusalOf, type ConversationPlan } from '@landline/store';
import { complain } from '../operations/follow-operation.ts';
import { runAndPrint } from '../operations/run-operation.ts';
import { conversationPlanDocument, describeConversationPlan } from './describe-rebuild.ts';
import type { RebuildCall } from './rebuild-call.ts';

/**
 * `landline rebuild --conversation <id> [--plan] [--yes] [--json]`: has a worker make the rows of one conversation anew from its applied events. On a terminal it
 * asks before.
 *
 * @returns  The exit code: 0 where it is done, 1 where it cannot be done or has failed, 130 after Ctrl-C.
 */
export async function rebuildConversation(
  { wanted, context, env, databaseUrl }: Omit<RebuildCall, 'rebuilds'>,
  conversation: string,
): Promise<number> {
  const { plan: isPlan, json, yes } = wanted;
  const plan = await readPlan(databaseUrl, conversation);
  const refusal = refusalOf(plan);
  const why = refusal === undefined ? null : explainConversationRefusal(refusal);
  if (isPlan && json) context.print(conversationPlanDocument(conversation, plan, why));
  else if (isPlan || !json) context.print(describeConversationPlan(plan));
  if (why !== null) {
    if (!isPlan || !json) complain(why, context);
    return isPlan ? 0 : 1;
  }
  if (isPlan) return 0;
  if (!yes && !(await context.ask?.('Make its rows anew?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  return runAndPrint({ kind: REBUILD_CONVERSATION, filter: { conversation }, json, env }, context);
}

async function readPlan(databaseUrl: string, conversation: string): Promise<ConversationPlan> {
  const rebuilds = openConversationRebuilds({ databaseUrl, isReadOnly: true });
  try {
    return await rebuilds.plan(conversation);
  } finally {
    await rebuilds.close();
  }
}
