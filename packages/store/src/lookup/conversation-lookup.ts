import { namesCaller } from '@landline/webhook/phone-number';
import type { Statement } from '../connection/statement.ts';
import type { Run, Transactions } from '../connection/transactions.ts';
import type { StoredRecording } from '../read/event.ts';
import type { ConversationFilter } from './conversation-filter.ts';
import {
  CALLER,
  COMMANDS,
  CONVERSATION,
  MESSAGES,
  PROFILE,
  RECORDINGS,
  TOOL_CALLS,
  type LookedUpCommand,
  type LookedUpConversation,
  type LookedUpMessage,
  type LookedUpProfile,
  type LookedUpToolCall,
  type Part,
} from './conversation-parts.ts';
import {
  searchConversations,
  type ConversationSearchOptions,
  type ConversationSearchStep,
} from './conversation-search.ts';
import { readFoundConversations, type FoundConversation } from './found-conversation.ts';
import { isStorable } from './given-ids.ts';
import { listConversationsStatement, otherCallsStatement, type StartedPage } from './list-statements.ts';

/** Looks conversations up, and changes nothing. Every method that fails throws a `StoreError`. */
export interface ConversationLookup {
  /** Lists conversations that match, the newest first. `text` of the filter is not looked at; where `needsSearch` says so, this may take long. */
  list(filter: ConversationFilter, page: StartedPage): Promise<FoundConversation[]>;
  /**
   * Looks for the conversations that match, `text` included, slice after slice, the newest first.
   *
   * @returns  Whether all were looked at; false where the signal came first.
   */
  search(
    filter: ConversationFilter,
    options?: ConversationSearchOptions,
  ): AsyncGenerator<ConversationSearchStep, boolean>;
  /** Reads a conversation with all that belongs to it, one statement after another on one connection; undefined where there is none. */
  whole(id: string, options: WholeOptions): Promise<WholeConversation | undefined>;
  /** Reads a conversation; undefined where there is none. */
  get(id: string): Promise<LookedUpConversation | undefined>;
  /** Reads the messages that are there, in the order of the call: the transcript's, else those that came live. All of them by default. */
  messages(id: string, page?: { offset?: number; limit?: number }): Promise<LookedUpMessage[]>;
  /** Reads the tool calls, in the order of the call. All of them by default. */
  toolCalls(id: string, page?: { offset?: number; limit?: number }): Promise<LookedUpToolCall[]>;
  /** Reads the commands that a user gave, the oldest first. */
  commands(id: string): Promise<LookedUpCommand[]>;
  /** Reads the recordings, those that can be played first. */
  recordings(id: string): Promise<StoredRecording[]>;
  /** Reads the profile of the conversation's user, else that of its number; undefined where there is none. */
  profile(id: string): Promise<LookedUpProfile | undefined>;
  /** Lists other conversations of the same user, else of the same number where it names somebody, the newest first. */
  otherCalls(id: string, limit: number): Promise<FoundConversation[]>;
}

/** A conversation with all that is shown with it. */
export interface WholeConversation {
  row: LookedUpConversation;
  messages: LookedUpMessage[];
  toolCalls: LookedUpToolCall[];
  commands: LookedUpCommand[];
  recordings: StoredRecording[];
  profile: LookedUpProfile | undefined;
  others: FoundConversation[];
}

/** How much of a conversation is read, and what ends the reading. */
export interface WholeOptions {
  /** How many messages, and how many tool calls, at most. */
  parts: number;
  /** How many other conversations at most. */
  others: number;
  /** Begins no statement when this is aborted. */
  signal: AbortSignal;
}

/** No conversation has more messages, or more tool calls, than this many. */
const ALL_PARTS = 2_147_483_647;

/** Makes the look-ups in these transactions. */
export function conversationLookupOn(transactions: Pick<Transactions, 'run'>): ConversationLookup {
  const ask = <T>({ statement, read }: Part<T>, id: string, ...more: string[]): Promise<T> =>
    isStorable(id)
      ? transactions.run(async (run) => read(await run(statement(id, ...more))))
      : Promise.resolve(read([]));
  return {
    list: (filter, page) =>
      transactions.run(async (run) => readFoundConversations(await run(listConversationsStatement(filter, page)))),
    search: (filter, options = {}) => searchConversations(transactions, filter, options),
    whole: async (id, options) => {
      options.signal.throwIfAborted();
      return isStorable(id) ? transactions.run((run) => readWhole(run, id, options)) : undefined;
    },
    get: (id) => ask(CONVERSATION, id),
    messages: (id, { offset = 0, limit = ALL_PARTS } = {}) => ask(MESSAGES, id, String(limit), String(offset)),
    toolCalls: (id, { offset = 0, limit = ALL_PARTS } = {}) => ask(TOOL_CALLS, id, String(limit), String(offset)),
    commands: (id) => ask(COMMANDS, id),
    recordings: (id) => ask(RECORDINGS, id),
    async profile(id) {
      const person = personOf(await ask(CALLER, id));
      return person && ask(PROFILE, person.value);
    },
    async otherCalls(id, limit) {
      const person = personOf(await ask(CALLER, id));
      if (person === undefined) return [];
      return transactions.run(async (run) =>
        readFoundConversations(await run(otherCallsStatement({ ...person, id }, limit))),
      );
    },
  };
}

async function readWhole(
  run: Run,
  id: string,
  { parts, others, signal }: WholeOptions,
): Promise<WholeConversation | undefined> {
  const rowsOf = async (statement: Statement) => {
    signal.throwIfAborted();
    return run(statement);
  };
  const ask = async <T>({ statement, read }: Part<T>, ...parameters: string[]): Promise<T> =>
    read(await rowsOf(statement(...parameters)));

  const row = await ask(CONVERSATION, id);
  if (row === undefined) return undefined;
  const person = personOf({ userId: row.userId, number: row.externalNumber });
  return {
    row,
    messages: await ask(MESSAGES, id, String(parts), '0'),
    toolCalls: await ask(TOOL_CALLS, id, String(parts), '0'),
    commands: await ask(COMMANDS, id),
    recordings: await ask(RECORDINGS, id),
    profile: person && (await ask(PROFILE, person.value)),
    others: person ? readFoundConversations(await rowsOf(otherCallsStatement({ ...person, id }, others))) : [],
  };
}

/** By what a caller is known. Many share a withheld number. */
function personOf(
  caller: { userId: string | null; number: string | null } | undefined,
): { by: 'user_id' | 'external_number'; value: string } | undefined {
  if (caller === undefined) return undefined;
  const { userId, number } = caller;
  if (userId !== null) return { by: 'user_id', value: userId };
  return number !== null && namesCaller(number) ? { by: 'external_number', value: number } : undefined;
}
