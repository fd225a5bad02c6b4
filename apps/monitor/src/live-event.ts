import type { EventTypeName } from '@landline/webhook';

/** A running call, as the provider's list has it. */
export interface RunningCall {
  id: string;
  agentId: string | null;
  /** Unix milliseconds. */
  startedAt: number;
  direction: string | null;
}

/** An event for our own webhook. */
export interface LiveEvent {
  type: EventTypeName;
  /**
   * JSON. The same message of the provider always gives the same bytes: on connecting the provider sends what was said before once more, and
   * a second bridge hears it too. The ledger knows an event by its bytes, so the worker applies it once.
   */
  body: string;
}

/** What a reader of one kind of message returns. */
export interface EventParts {
  type: 'conversation.message' | 'agent.tool_call';
  /** Unix milliseconds. */
  time: number;
  data: Record<string, unknown>;
}
