import type { EventHandler } from './event-context.ts';
import { actionId, callEventId, messageId, toolCallId, type IdReader } from './event-ids.ts';
import { agentAction } from './events/agent-action.ts';
import { agentToolCall } from './events/agent-tool-call.ts';
import { callInitiationFailure } from './events/call-initiation-failure.ts';
import { conversationEnded } from './events/conversation-ended.ts';
import { conversationMessage } from './events/conversation-message.ts';
import { conversationStarted } from './events/conversation-started.ts';
import { postCallAudio } from './events/post-call-audio.ts';
import { postCallTranscriptionOtel } from './events/post-call-transcription-otel.ts';
import { postCallTranscription } from './events/post-call-transcription.ts';

/** An event type: its handler, and the words of its log line. */
export interface EventType {
  handle: EventHandler;
  /** The worker's log line is `✅ <done>: <conversation id>`. */
  done: string;
  /**
   * Of a live event type: reads the id of the row that the event writes. A live event with neither such an id nor a
   * time gets its id from its delivery.
   */
  idOf?: IdReader;
}

/** The event types that change a table. A new type is a file in events/ and a line here. */
export const EVENT_TYPES = {
  'conversation.started': { handle: conversationStarted, done: 'Conversation started', idOf: callEventId },
  'conversation.message': { handle: conversationMessage, done: 'Message stored', idOf: messageId },
  'conversation.ended': { handle: conversationEnded, done: 'Conversation ended', idOf: callEventId },
  'agent.tool_call': { handle: agentToolCall, done: 'Tool call stored', idOf: toolCallId },
  'agent.action': { handle: agentAction, done: 'Command stored', idOf: actionId },
  post_call_transcription: { handle: postCallTranscription, done: 'Transcript stored' },
  post_call_transcription_otel: { handle: postCallTranscriptionOtel, done: 'Traces noted' },
  call_initiation_failure: { handle: callInitiationFailure, done: 'Call failure stored' },
  post_call_audio: { handle: postCallAudio, done: 'Recording noted' },
} as const satisfies Record<string, EventType>;

/** The name of an event type that changes a table. */
export type EventTypeName = keyof typeof EVENT_TYPES;
