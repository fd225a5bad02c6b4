import type { LookedUpMessage, LookedUpToolCall } from '@landline/store';
import { z } from 'zod';
import { firstOf } from '../bounded.ts';
import { messagesPage, toolCallsPage, type MessageItem, type ToolCallItem } from '../contract/conversations.ts';
import { cursorOf, writeCursor, type Place } from '../cursor.ts';
import { inTime } from '../deadline.ts';
import { invalid, missing } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route, type ApiRoute } from '../route.ts';
import { conversationIdSchema } from './conversation-id.ts';
import { shownMessage, shownToolCall } from './shown-conversation.ts';

/** How many messages, or tool calls, are read at once. */
const MOST_PARTS = 1_000;

/** How many bytes of JSON they have at most in one answer. */
export const MOST_BYTES = { messages: 150_000, calls: 60_000 };

/** Some messages or tool calls of a conversation. `next` is null where there are no more. */
export interface PartsPage<Item> {
  items: Item[];
  next: string | null;
}

/** Which parts of which conversation are read: those behind the first `offset`, so many bytes at most. */
export interface PartsAsked {
  id: string;
  offset: number;
  mostBytes: number;
}

/** What is read of the parts of a conversation: one more than an answer shows tells whether there are more. */
export const READ_PARTS = MOST_PARTS + 1;

/** Shows the first of these messages, as many as fit. */
export function shownMessages(rows: readonly LookedUpMessage[], asked: PartsAsked): PartsPage<MessageItem> {
  const items = firstOf(rows.slice(0, MOST_PARTS), shownMessage, asked.mostBytes);
  return { items, next: nextOf('messages', asked, { shown: items.length, read: rows.length }) };
}

/**
 * Shows the first of these tool calls, as many as fit.
 *
 * @param startedAt  When the conversation began, in unix ms.
 */
export function shownToolCalls(
  rows: readonly LookedUpToolCall[],
  startedAt: number,
  asked: PartsAsked,
): PartsPage<ToolCallItem> {
  const items = firstOf(rows.slice(0, MOST_PARTS), (row) => shownToolCall(row, startedAt), asked.mostBytes);
  return { items, next: nextOf('tool-calls', asked, { shown: items.length, read: rows.length }) };
}

function nextOf(
  list: 'messages' | 'tool-calls',
  { id, offset }: PartsAsked,
  { shown, read }: { shown: number; read: number },
): string | null {
  return read > shown ? writeCursor(list, { at: offset + shown, id }) : null;
}

/** The routes that go on where `GET /conversations/:id` ended. */
export function partRoutes(ports: Pick<ApiPorts, 'lookups'>): ApiRoute[] {
  return [listMessages(ports), listToolCalls(ports)];
}

function listMessages(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  return route({
    method: 'GET',
    path: '/conversations/:id/messages',
    summary: 'Lists what was said in a conversation, in order; the cursor is messages_next of the conversation.',
    ...REQUEST('messages'),
    answer: messagesPage,
    async handle({ params: { id }, query: { cursor }, signal }) {
      const { conversations } = lookupsOf(ports);
      const offset = offsetOf(id, cursor);
      const row = await inTime(conversations.get(id), signal);
      if (row === undefined) throw noConversation(id);
      const found = await inTime(conversations.messages(id, { offset, limit: READ_PARTS }), signal);
      return shownMessages(found, { id, offset, mostBytes: MOST_BYTES.messages });
    },
  });
}

function listToolCalls(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  return route({
    method: 'GET',
    path: '/conversations/:id/tool-calls',
    summary: 'Lists the tool calls of a conversation, in order; the cursor is calls_next of the conversation.',
    ...REQUEST('tool-calls'),
    answer: toolCallsPage,
    async handle({ params: { id }, query: { cursor }, signal }) {
      const { conversations } = lookupsOf(ports);
      const offset = offsetOf(id, cursor);
      const row = await inTime(conversations.get(id), signal);
      if (row === undefined) throw noConversation(id);
      const found = await inTime(conversations.toolCalls(id, { offset, limit: READ_PARTS }), signal);
      return shownToolCalls(found, row.startedAt, { id, offset, mostBytes: MOST_BYTES.calls });
    },
  });
}

/** What a request for parts says. */
const REQUEST = (list: 'messages' | 'tool-calls') => ({
  params: z.object({ id: conversationIdSchema }),
  query: () => z.strictObject({ cursor: cursorOf(list) }),
  faults: { 404: { description: 'conversation_missing' } },
});

/** The fault of a conversation that is none. */
export function noConversation(id: string) {
  return missing('conversation_missing', `There is no conversation ${id}.`);
}

/** @throws ApiFault where the cursor is that of another conversation */
function offsetOf(id: string, cursor: Place | undefined): number {
  if (cursor !== undefined && cursor.id !== id) throw invalid('cursor is that of another conversation');
  return cursor?.at ?? 0;
}
