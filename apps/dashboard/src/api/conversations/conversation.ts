import type { WholeConversation } from '@landline/store';
import { z } from 'zod';
import { bytesOf, firstOf } from '../bounded.ts';
import { conversationDetailSchema, type ConversationDetail } from '../contract/conversations.ts';
import { inTime } from '../deadline.ts';
import { shownRecording } from '../events/shown-event.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { conversationIdSchema } from './conversation-id.ts';
import { MOST_BYTES, noConversation, READ_PARTS, shownMessages, shownToolCalls } from './parts.ts';
import { shownCommand, shownConversation, shownProfile, shownRow } from './shown-conversation.ts';

/** The most that an answer has, in bytes. Some are left for the names around the messages and the calls. */
const MOST_ANSWER_BYTES = 298_000;

/** How many bytes these have at most. The rest of the answer is for what was said. */
const MOST_LIST_BYTES = { commands: 20_000, recordings: 8_000, others: 16_000 };

/** What was said has at least so much room, whatever else there is. */
const LEAST_MESSAGES_BYTES = 76_000;

const MOST_OTHERS = 10;

/** GET /conversations/:id, with all that is needed to read it. */
export function getConversation(ports: Pick<ApiPorts, 'lookups'>) {
  return route({
    method: 'GET',
    path: '/conversations/:id',
    summary: 'Shows one conversation with what was said, tool calls, recordings and the profile of who called.',
    params: z.object({ id: conversationIdSchema }),
    answer: conversationDetailSchema,
    faults: { 404: { description: 'conversation_missing' } },
    async handle({ params: { id }, signal }) {
      const { conversations } = lookupsOf(ports);
      const options = { parts: READ_PARTS, others: MOST_OTHERS, signal };
      const found = await inTime(conversations.whole(id, options), signal);
      if (found === undefined) throw noConversation(id);
      return shownWhole(id, found);
    },
  });
}

function shownWhole(id: string, found: WholeConversation): ConversationDetail {
  const { row, messages, toolCalls } = found;
  const about = shownAbout(found);
  const room = MOST_ANSWER_BYTES - bytesOf(about);
  const forCalls = Math.min(MOST_BYTES.calls, room - LEAST_MESSAGES_BYTES);
  const callsPage = shownToolCalls(toolCalls, row.startedAt, { id, offset: 0, mostBytes: forCalls });
  const forMessages = Math.min(MOST_BYTES.messages, room - bytesOf(callsPage));
  const messagesPage = shownMessages(messages, { id, offset: 0, mostBytes: forMessages });
  return {
    ...about,
    transcript: messagesPage.items,
    messages_next: messagesPage.next,
    calls: callsPage.items,
    calls_next: callsPage.next,
  };
}

/** What an answer says beside what was said and called. */
function shownAbout({ row, commands, recordings, profile, others }: WholeConversation) {
  return {
    ...shownRow(row),
    commands: firstOf(commands, shownCommand, MOST_LIST_BYTES.commands),
    recordings: firstOf(recordings, (recording) => shownRecording(recording, row.id), MOST_LIST_BYTES.recordings),
    profile: profile ? shownProfile(profile) : null,
    other_conversations: firstOf(others, shownConversation, MOST_LIST_BYTES.others),
  };
}
