import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import { asApiError, get, type ApiError } from '../api/client.ts';
import type { ChatParts } from './chat-rows.ts';
import {
  addPart,
  beginSaid,
  callKey,
  chatPartsOf,
  cursorBehind,
  messageKey,
  needsCalls,
  readAgain,
  type Part,
  type Said,
} from './said-parts.ts';

/** What was said in a conversation, as far as it has been read. */
export interface SaidSoFar {
  parts: ChatParts;
  /** How many turns were read. */
  shown: number;
  /** How many there are. */
  all: number;
  hasMore: boolean;
  /** Whether the end had been read before the newest turn came: those who read there may be taken along. */
  isAtEnd: boolean;
  isLoading: boolean;
  error: ApiError | undefined;
  /** Reads the next part, once more where that has failed. */
  more: () => void;
  /** Reads the next part, unless that has failed: it is tried again by hand. */
  moreByItself: () => void;
}

/** Reads on where `call` ends: its turns when they are asked for, and the tool calls of these turns by itself. */
export function useSaid(call: ConversationDetail): SaidSoFar {
  const [state, setState] = useState(() => beginSaid(call));
  const said = state.call === call ? state : readAgain(state, call);
  if (said !== state) setState(said);
  const path = `/conversations/${encodeURIComponent(call.id)}`;
  const messages = usePart<Said['messages']['items'][number]>(
    `${path}/messages`,
    cursorBehind(said.messages, call.messages),
    (cursor, part) =>
      setState((old) =>
        cursorBehind(old.messages, old.call.messages) === cursor
          ? { ...old, messages: addPart(old.messages, cursor, { ...part, keyOf: messageKey }) }
          : old,
      ),
  );
  const calls = usePart<Said['calls']['items'][number]>(
    `${path}/tool-calls`,
    cursorBehind(said.calls, call.tool_calls),
    (cursor, part) =>
      setState((old) =>
        cursorBehind(old.calls, old.call.tool_calls) === cursor
          ? { ...old, calls: addPart(old.calls, cursor, { ...part, keyOf: callKey }) }
          : old,
      ),
  );
  useGoingOn(said, { messages, calls });
  const hasMore = said.messages.next !== null;
  const wasWhole = useRef(!hasMore);
  useEffect(() => {
    wasWhole.current = !hasMore;
  });
  const failed = messages.error ?? calls.error;
  return {
    parts: useMemo(() => chatPartsOf(said), [said]),
    shown: said.messages.items.length,
    all: Math.max(call.messages, said.messages.items.length),
    hasMore,
    isAtEnd: !hasMore && wasWhole.current,
    isLoading: messages.isLoading,
    error: failed,
    more: messages.error === undefined && calls.error !== undefined ? calls.load : messages.load,
    moreByItself: () => {
      if (hasMore && failed === undefined) messages.load();
    },
  };
}

interface PartReader {
  isLoading: boolean;
  error: ApiError | undefined;
  load: () => void;
}

/** Reads tool calls of turns that are there, and what a call that goes on has had since its end was read. */
function useGoingOn(said: Said, { messages, calls }: Record<'messages' | 'calls', PartReader>): void {
  const { call } = said;
  useEffect(() => {
    if (needsCalls(said) && calls.error === undefined) calls.load();
  }, [said, calls.isLoading]);
  // Once for each time that the conversation was read.
  useEffect(() => {
    if (said.messages.last !== null && said.messages.next === null && messages.error === undefined) {
      if (call.messages > said.messages.items.length) messages.load();
    }
    if (said.calls.last !== null && said.calls.next === null && calls.error === undefined) {
      if (call.tool_calls > said.calls.items.length) calls.load();
    }
  }, [call]);
}

/** Reads the part behind `cursor`, one at a time. */
function usePart<Item>(
  path: string,
  cursor: string | null,
  onPart: (cursor: string, part: Part<Item>) => void,
): PartReader {
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState<ApiError>();
  const under = useRef<AbortController>(undefined);
  const latest = useRef({ cursor, onPart });
  latest.current = { cursor, onPart };
  useEffect(() => () => under.current?.abort(), [path]);
  function take(read: string, part: Part<Item>): void {
    const { onPart: tell } = latest.current;
    // Until the page is drawn with this part, nobody knows where to go on.
    latest.current = { cursor: null, onPart: tell };
    tell(read, part);
  }
  const load = useCallback(() => {
    const { cursor: wanted } = latest.current;
    if (under.current || wanted === null) return;
    const abort = new AbortController();
    under.current = abort;
    setLoading(true);
    setError(undefined);
    get<Part<Item>>(`${path}?cursor=${encodeURIComponent(wanted)}`, { signal: abort.signal })
      .then((part) => take(wanted, part))
      .catch((fault: unknown) => {
        if (!abort.signal.aborted) setError(asApiError(fault));
      })
      .finally(() => {
        under.current = undefined;
        if (!abort.signal.aborted) setLoading(false);
      });
  }, [path]);
  return { isLoading, error, load };
}
