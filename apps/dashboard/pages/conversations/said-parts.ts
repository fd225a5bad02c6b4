import type { ConversationDetail, MessageItem, ToolCallItem } from '../../src/api/contract/conversations.ts';
import type { ChatParts } from './chat-rows.ts';

/** A part of a list, as the API gives it. */
export interface Part<Item> {
  items: readonly Item[];
  next: string | null;
}

/** What has been read of a list whose later parts come when somebody wants them. */
export interface Parts<Item> {
  items: readonly Item[];
  /** Where the list goes on; null where its end was read. */
  next: string | null;
  /** The cursor of the last part that was read; null where only the first part was, which comes with the conversation. */
  last: string | null;
}

/** What has been read of a conversation. */
export interface Said {
  call: ConversationDetail;
  messages: Parts<MessageItem>;
  calls: Parts<ToolCallItem>;
}

/** What tells an item from the others of its list. */
type KeyOf<Item> = (item: Item) => string;
export const messageKey: KeyOf<MessageItem> = ({ source, event_key }) => `${source}:${event_key}`;
export const callKey: KeyOf<ToolCallItem> = ({ source, request_id }) => `${source}:${request_id}`;

/** Begins with the first parts, which come with the conversation. */
export function beginSaid(call: ConversationDetail): Said {
  return {
    call,
    messages: { items: call.transcript, next: call.messages_next, last: null },
    calls: { items: call.calls, next: call.calls_next, last: null },
  };
}

/** Takes over a conversation that was read again. What was read of its later parts stays, unless a transcript took its place. */
export function readAgain(old: Said, call: ConversationDetail): Said {
  const begun = beginSaid(call);
  if (old.call.id !== call.id || old.messages.items[0]?.source !== begun.messages.items[0]?.source) return begun;
  return {
    call,
    messages: withFirst(old.messages, begun.messages, { all: call.messages, keyOf: messageKey }),
    calls: withFirst(old.calls, begun.calls, { all: call.tool_calls, keyOf: callKey }),
  };
}

function withFirst<Item>(
  old: Parts<Item>,
  first: Parts<Item>,
  { all, keyOf }: { all: number; keyOf: KeyOf<Item> },
): Parts<Item> {
  // Where there are fewer than were read, some are gone: nobody knows which.
  if (old.last === null || all < old.items.length) return first;
  const keys = new Set(first.items.map(keyOf));
  return { ...old, items: [...first.items, ...old.items.filter((item) => !keys.has(keyOf(item)))] };
}

/** Puts a part behind those before. What of it was there already is taken as it is now. */
export function addPart<Item>(
  old: Parts<Item>,
  cursor: string,
  added: Part<Item> & { keyOf: KeyOf<Item> },
): Parts<Item> {
  const { items, next, keyOf } = added;
  const keys = new Set(items.map(keyOf));
  return { items: [...old.items.filter((item) => !keys.has(keyOf(item))), ...items], next, last: cursor };
}

/**
 * Returns the cursor of the part that is to be read next; null where there is none.
 *
 * @param all  How many items there are. Where a call went on since, its last part is read again.
 */
export function cursorBehind<Item>({ items, next, last }: Parts<Item>, all: number): string | null {
  return next ?? (all > items.length ? last : null);
}

/** Tells whether turns that were read may have made tool calls that were not. */
export function needsCalls({ messages, calls }: Said): boolean {
  if (calls.next === null) return false;
  const lastTurn = messages.items.at(-1);
  const lastCall = calls.items.at(-1);
  if (messages.next === null || lastCall === undefined || lastTurn === undefined) return true;
  return lastCall.created_at <= lastTurn.created_at;
}

/** Returns what the chat shows: a tool call or command of a turn that was not read yet waits for it. */
export function chatPartsOf({ call, messages, calls }: Said): ChatParts {
  const { started_at, commands } = call;
  const transcript = messages.items;
  const last = transcript.at(-1);
  if (messages.next === null || last === undefined) return { started_at, transcript, calls: calls.items, commands };
  const isThere = (at: string) => at <= last.created_at;
  return {
    started_at,
    transcript,
    calls: calls.items.filter(({ position, created_at }) =>
      position !== null && last.position !== null ? position <= last.position : isThere(created_at),
    ),
    commands: commands.filter(({ created_at }) => isThere(created_at)),
  };
}

/** How far ahead of what is heard turns are read, in seconds. */
const AHEAD_SECONDS = 20;

/** Tells whether a recording has come so near to the last turn that was read that the next part is wanted. */
export function isNearEnd(lastSeconds: number, heardSeconds: number): boolean {
  return heardSeconds > 0 && heardSeconds + AHEAD_SECONDS > lastSeconds;
}
