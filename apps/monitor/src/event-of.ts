import type { EventTypeName } from '@landline/webhook';
import type { EventParts, LiveEvent, RunningCall } from './live-event.ts';
import { clientTool, mcpTool, toolRequest, toolResponse } from './tool-events.ts';
import { idIn, innerOf, textIn, type Message } from './read-message.ts';
import { timeOf } from './event-times.ts';

/** The readers of the provider's messages. A message of any other type tells nothing that a row stands for. */
const READERS: ReadonlyMap<unknown, (call: RunningCall, inner: Message) => EventParts | undefined> = new Map([
  ['user_transcript', (call, inner) => saying(call, inner, { role: 'user', text: 'user_transcript' })],
  ['agent_response', (call, inner) => saying(call, inner, { role: 'agent', text: 'agent_response' })],
  [
    'agent_response_correction',
    (call, inner) => saying(call, inner, { role: 'agent', text: 'corrected_agent_response', isCorrection: true }),
  ],
  ['agent_tool_request', toolRequest],
  ['client_tool_call', clientTool],
  ['agent_tool_response', toolResponse],
  ['mcp_tool_call', mcpTool],
]);

/**
 * Makes the event of a message of the monitoring socket.
 *
 * @returns undefined for a message that no row stands for: of another type, without words, or without an id that tells it from its repeat.
 */
export function eventOf(call: RunningCall, message: Message): LiveEvent | undefined {
  const parts = READERS.get(message['type'])?.(call, innerOf(message));
  return parts && liveEvent(call, { type: parts.type, event_timestamp: parts.time }, parts.data);
}

/** Makes the event of a call's beginning. */
export function startedEvent(call: RunningCall): LiveEvent {
  const direction = call.direction === null ? {} : { direction: call.direction };
  const envelope = { type: 'conversation.started', event_id: 'started', event_timestamp: call.startedAt } as const;
  return liveEvent(call, envelope, { started_at: call.startedAt, ...direction });
}

/**
 * Makes the event of a call's end. It has no time, because two bridges notice the end at different times, and the bytes must be the same: the
 * worker takes the signature's time.
 */
export function endedEvent(call: RunningCall): LiveEvent {
  return liveEvent(call, { type: 'conversation.ended', event_id: 'ended' }, {});
}

function saying(
  call: RunningCall,
  inner: Message,
  { role, text, isCorrection = false }: { role: 'user' | 'agent'; text: string; isCorrection?: boolean },
): EventParts | undefined {
  const id = idIn(inner, 'event_id');
  const words = textIn(inner, text);
  if (id === undefined || words === undefined) return undefined;
  const time = timeOf(call.startedAt, id, isCorrection ? 'correction' : role);
  // Each side counts for itself. A correction has the id of the response that the caller interrupted, and takes its place.
  const data = { message_id: `${role}-${id}`, role, message: words, ...(isCorrection && { interrupted: true }) };
  return { type: 'conversation.message', time, data };
}

interface Envelope {
  type: EventTypeName;
  event_id?: string;
  /** Unix milliseconds. */
  event_timestamp?: number;
}

function liveEvent(call: RunningCall, envelope: Envelope, data: object): LiveEvent {
  const ids = { conversation_id: call.id, ...(call.agentId !== null && { agent_id: call.agentId }) };
  return { type: envelope.type, body: JSON.stringify({ ...envelope, data: { ...ids, ...data } }) };
}
