import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, type EventContext } from '../event-context.ts';
import { jsonOrText } from '../json-or-text.ts';

/** agent.tool_call: the agent called a tool; its result may come with it or in an event of its own. */
export function agentToolCall(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  addProfile(event, changes);
  const told = defined({
    tool_name: register(fields.text('tool_name', 'name'), clock),
    tool_type: register(fields.text('tool_type'), clock),
    parameters: register(jsonOrText(fields.any('parameters', 'arguments', 'tool_input', 'params_as_json')), clock),
    result: register(jsonOrText(fields.any('result', 'tool_output', 'result_value')), clock),
    is_error: register(fields.boolean('is_error'), clock),
    latency_seconds: register(fields.number('latency_seconds', 'tool_latency_secs'), clock),
  });
  const rest = fields.rest();
  changes.toolCalls.push({
    conversation_id: event.conversationId,
    source: 'live',
    request_id: event.rowId,
    clock,
    earliest: eventAt,
    fields: Object.keys(rest).length > 0 ? { ...told, details: { value: rest, clock } } : told,
  });
  return changes;
}
