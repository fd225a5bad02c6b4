import type { NormalisedEvent } from '@landline/webhook';
import type { Prisma } from '../../packages/store/src/generated/client.ts';
import { bodyRow, commandRow, conversationRow, ledgerRow, messageRow, profileRow, toolCallRow } from './rows.ts';

/** Applies one event inside a transaction, as most programmers would: the ledger first, then each row by Prisma's models. */
export async function applyEvent(tx: Prisma.TransactionClient, event: NormalisedEvent): Promise<void> {
  const { count } = await tx.webhookEvent.createMany({ data: [ledgerRow(event)], skipDuplicates: true });
  if (count === 0) return;
  await tx.webhookBody.createMany({ data: [bodyRow(event)] });
  if (event.outcome !== 'applied') return;
  const { conversation, messages, toolCalls, commands, profile } = event.changes;
  await tx.conversation.upsert({ where: { id: conversation.id }, ...conversationRow(conversation) });
  if (messages.length > 0) {
    await tx.conversationMessage.createMany({ data: messages.map(messageRow), skipDuplicates: true });
  }
  for (const call of toolCalls) {
    const { conversation_id: conversationId, source, request_id: requestId } = call;
    const where = { conversationId_source_requestId: { conversationId, source, requestId } };
    // oxlint-disable-next-line no-await-in-loop -- one connection, one statement at a time
    await tx.agentToolCall.upsert({ where, ...toolCallRow(call) });
  }
  for (const command of commands) {
    const { conversation_id: conversationId, action_id: actionId } = command;
    const where = { conversationId_actionId: { conversationId, actionId } };
    // oxlint-disable-next-line no-await-in-loop -- one connection, one statement at a time
    await tx.userCommand.upsert({ where, ...commandRow(command) });
  }
  if (profile) await tx.userProfile.upsert({ where: { userId: profile.user_id }, ...profileRow(profile) });
}
