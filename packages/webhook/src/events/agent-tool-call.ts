import type { Changes } from '../changes.ts';
import { latestClock } from '../clock.ts';
import { addProfile, changesOf, defined, register, type EventContext } from '../event-context.ts';
import { detectedLanguage, LANGUAGE_DETECTION } from '../language-detection.ts';
import { addSpoken } from '../spoken.ts';
import { readDetails, readParameters, readResult } from './live-values.ts';

/** agent.tool_call: the agent called a tool; its result may come with it or in an event of its own. */
export function agentToolCall(event: EventContext): Changes {
  const { fields, eventAt } = event;
  const clock = latestClock('live', eventAt, event);
  const changes = changesOf(event, 'live', 'in_progress');
  const name = fields.text('tool_name', 'name');
  const parameters = readParameters(fields, 'parameters', 'arguments', 'tool_input', 'params_as_json');
  const result = readResult(fields, 'result', 'tool_output', 'result_value');
  const isError = fields.boolean('is_error');
  const told = defined({
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
    fields: details ? { ...told, details: { value: details, clock } } : told,
  });
  return changes;
}
