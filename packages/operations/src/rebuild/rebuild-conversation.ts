import {
  MOST_CONVERSATION_BYTES,
  MOST_CONVERSATION_EVENTS,
  type ConversationRebuilds,
  type ConversationRefusal,
} from '@landline/store';
import { counted } from '../counted.ts';
import { z } from 'zod';
import { OperationFailedError } from '../errors.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { retryWhileInUse } from './lock-retry.ts';

/** The kind of a rebuild of one conversation, as `operations.kind` has it. Its filter is `{ conversation: <id> }`. */
export const REBUILD_CONVERSATION = 'rebuild-conversation';

const requestSchema = z.object({ conversation: z.string().min(1) });

/** What a rebuild of one conversation works with. */
export interface RebuildConversationPorts {
  conversations: Pick<ConversationRebuilds, 'rebuild'>;
}

/**
 * Makes the kind of operations that makes the rows of one conversation anew from its applied events, in one transaction. It fails where the ledger cannot tell all
 * of them any more: the message says why, and nothing has changed.
 */
export function rebuildConversationKind({ conversations }: RebuildConversationPorts): OperationKind {
  return { kind: REBUILD_CONVERSATION, run: (context) => run(context, conversations) };
}

async function run(context: OperationContext, conversations: RebuildConversationPorts['conversations']): Promise<void> {
  const read = requestSchema.safeParse(context.operation.filter);
  if (!read.success) throw new OperationFailedError(`The request cannot be read: ${z.prettifyError(read.error)}`);
  await context.hold();
  const rebuilt = await retryWhileInUse(context, () => conversations.rebuild(read.data.conversation));
  if (rebuilt.outcome !== 'rebuilt') throw new OperationFailedError(explainConversationRefusal(rebuilt));
  context.report({ total: rebuilt.events, done: rebuilt.events });
}

/** Says why a conversation cannot be rebuilt by itself, and what can be done. It names nobody. */
export function explainConversationRefusal(refusal: ConversationRefusal): string {
  switch (refusal.outcome) {
    case 'erased':
      return 'The conversation is erased: nothing of it may come back.';
    case 'no_events':
      return 'The ledger has no applied event of this conversation.';
    case 'too_many':
      return `The conversation has more than ${MOST_CONVERSATION_EVENTS} events: rebuild all tables instead (landline rebuild).`;
    case 'too_large':
      return `The bodies of its events have more than ${MOST_CONVERSATION_BYTES / (1024 * 1024)} MiB: rebuild all tables instead (landline rebuild).`;
    case 'too_slow':
      return 'All events had to wait for it, and it was not done in the time that they may. Try again when fewer calls come, or rebuild all tables (landline rebuild).';
    case 'bodies_gone':
      return `The bodies of ${refusal.withoutBody} of its ${counted(refusal.events, 'event')} are gone: the ledger cannot give its rows any more, so they stay as they are.`;
    case 'not_applied':
      return `${counted(refusal.events, 'event')} of it ${refusal.events === 1 ? 'is' : 'are'} applied in the ledger, and not by this version: their rows would be lost, so they stay as they are.`;
  }
}
