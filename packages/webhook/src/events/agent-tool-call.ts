import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, type EventContext } from '../event-context.ts';
import { detectedLanguage, LANGUAGE_DETECTION } from '../language-detection.ts';
import { addSpoken } from '../spoken.ts';
import { readDetails, readParameters, readResult } from './live-values.ts';

/** Handles agent.tool_call: the agent called a tool. The result may come in the same event or in a later one. */
export function agentToolCall(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  const name = fields.text('tool_name', 'name');
  const parameters = readParameters(fields, 'parameters', 'arguments', 'tool_input', 'params_as_json');
  const result = readResult(fields, 'result', 'tool_output', 'result_value');
  const isError = fields.boolean('is_error');
  const call = defined({
    tool_name: register(name, clock),
    tool_type: register(fields.text('tool_type'), clock),
    parameters: register(parameters, clock),
    result: register(result, clock),
    is_error: register(isError, clock),
    latency_seconds: register(fields.number('latency_seconds', 'tool_latency_secs'), clock),
  });
  if (name === LANGUAGE_DETECTION) {
    const results = result === undefined ? undefined : [result];
    const wasCalled = fields.rest()['tool_has_been_called'];
    addSpoken(changes.conversation, detectedLanguage({ parameters, results, isError, wasCalled }), clock);
  }
  addProfile(event, changes);
  const details = readDetails(fields);
  changes.toolCalls.push({
    conversation_id: event.conversationId,
    source: 'live',
    request_id: event.rowId,
    clock,
    earliest: eventAt,
    fields: details ? { ...call, details: { value: details, clock } } : call,
  });
  return changes;
}
