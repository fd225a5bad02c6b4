import { readTime, timeOf, type Place } from './event-times.ts';
import type { EventParts, RunningCall } from './live-event.ts';
import { idIn, textIn, type Message } from './read-message.ts';

// A tool call and its result are one row of the worker's, under the provider's `tool_call_id`. Each event has only what its message says.

/** The states of a tool of an MCP server, in their order. All of them may have one and the same time. */
const MCP_STATES = ['loading', 'awaiting_approval', 'success', 'failure'];

/** agent_tool_request: the agent wants a tool. */
export function toolRequest(call: RunningCall, inner: Message): EventParts | undefined {
  return toolEvent(call, inner, { place: 'request', data: { tool_type: textIn(inner, 'tool_type') } });
}

/** client_tool_call: the tool runs at the caller's side, with these parameters. */
export function clientTool(call: RunningCall, inner: Message): EventParts | undefined {
  return toolEvent(call, inner, { place: 'client', data: { tool_type: 'client', parameters: inner['parameters'] } });
}

/** agent_tool_response: the tool has answered. The socket does not tell what. */
export function toolResponse(call: RunningCall, inner: Message): EventParts | undefined {
  return toolEvent(call, inner, {
    place: 'response',
    data: {
      tool_type: textIn(inner, 'tool_type'),
      is_error: booleanIn(inner, 'is_error'),
      // The transcript's word for it.
      tool_has_been_called: booleanIn(inner, 'is_called'),
    },
  });
}

/** mcp_tool_call: how far a tool of an MCP server is, with its result or what went wrong. The one message that has a time. */
export function mcpTool(call: RunningCall, inner: Message): EventParts | undefined {
  const state = textIn(inner, 'state');
  const parts = toolEvent(call, inner, {
    place: 'request',
    data: {
      tool_type: 'mcp',
      parameters: inner['parameters'],
      state,
      result: state === 'failure' ? textIn(inner, 'error_message') : inner['result'],
      is_error: state === 'failure' || (state === 'success' ? false : undefined),
    },
  });
  const time = readTime(call.startedAt, inner['timestamp']) ?? call.startedAt;
  return parts && { ...parts, time: time + Math.max(MCP_STATES.indexOf(state ?? ''), 0) };
}

/** Makes the event of a tool. JSON leaves out what is undefined. */
function toolEvent(
  call: RunningCall,
  inner: Message,
  { place, data }: { place: Place; data: Record<string, unknown> },
): EventParts | undefined {
  const id = idIn(inner, 'tool_call_id');
  if (id === undefined) return undefined;
  const names = { tool_call_id: id, tool_name: textIn(inner, 'tool_name') };
  return {
    type: 'agent.tool_call',
    time: timeOf(call.startedAt, idIn(inner, 'event_id'), place),
    data: { ...names, ...data },
  };
}

function booleanIn(inner: Message, name: string): boolean | undefined {
  const value = inner[name];
  return typeof value === 'boolean' ? value : undefined;
}
