import type { ToolCallChange } from '../changes.ts';
import type { Clock } from '../clock.ts';
import { defined, register } from '../event-context.ts';
import type { JsonObject } from '../json.ts';
import type { JoinedCall } from './join-tool-calls.ts';

/** Makes the row of a transcript's tool call. */
export function toolCallRow(
  { requestId, call, result, at }: JoinedCall,
  conversationId: string,
  clock: Clock,
): ToolCallChange {
  return {
    conversation_id: conversationId,
    source: 'transcript',
    request_id: requestId,
    clock,
    earliest: at,
    fields: defined({
      tool_name: register(call?.name ?? result?.name, clock),
      tool_type: register(call?.type ?? result?.type, clock),
      parameters: register(call?.value, clock),
      result: register(result?.value, clock),
      is_error: register(result?.isError, clock),
      latency_seconds: register(result?.latencySeconds, clock),
      details: register(detailsOf(call?.rest, result?.rest), clock),
    }),
  };
}

/**
 * Returns the details of call and result. Both have fields of the same names, so the result's go into a field of their
 * own.
 */
function detailsOf(call: JsonObject = {}, result: JsonObject = {}): JsonObject | undefined {
  const details = Object.keys(result).length > 0 ? { ...call, result } : call;
  return Object.keys(details).length > 0 ? details : undefined;
}
