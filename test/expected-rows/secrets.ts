import { event, transcript, type Scenario } from './scenario.ts';

/** Prints a body with its secret mark escaped, as a sender of JSON may do. */
const escaped = (body: unknown, mark = '\\u0073ecret__') => JSON.stringify(body).replaceAll('secret__', mark);
const variables = (dynamic_variables: object) =>
  transcript({ conversation_initiation_client_data: { dynamic_variables } }).body;
const SHOWN = { 'metadata.conversation_initiation_client_data': { dynamic_variables: { shown: 'yes' } } };

/** Scenarios about secret dynamic variables, which no table has. */
export const secrets: Scenario[] = [
  ...[
    'secret__',
    '\\u0073ecret__',
    '\\u0073\\u0065cret__',
    'secret\\u005f_',
    'secre\\u0074\\u005F\\u005f',
    's\\u0065cret__',
  ].map((mark) => ({
    name: `a variable whose key is written ${mark}pin is not shown`,
    deliveries: [{ body: escaped(variables({ secret__pin: '1234', shown: 'yes' }), mark) }],
    rows: { conversations: [SHOWN] },
  })),
  {
    name: 'nor at any depth, nor as a note that it was updated',
    deliveries: [
      {
        body: escaped(
          event('conversation.started', 0, {
            deep: [
              { secret__pin: '1234', also: { secret__x: 1, shown: 2 } },
              { variable_name: 'secret__pin', new_value: '1234' },
            ],
          }).body,
        ),
      },
    ],
    rows: { conversations: [{ metadata: { deep: [{ also: { shown: 2 } }, { variable_name: 'secret__pin' }] } }] },
  },
  {
    name: 'nor in JSON within a text',
    deliveries: [
      event('agent.tool_call', 1, { tool_call_id: 't', params_as_json: '{"\\u0073ecret__pin": "1234", "shown": 1}' }),
      {
        body: escaped(
          event('agent.action', 1, { action_id: 'a', parameters: '{"secret__pin": "1234", "shown": 1}' }).body,
        ),
      },
    ],
    rows: { agent_tool_calls: [{ parameters: { shown: 1 } }], user_commands: [{ parameters: { shown: 1 } }] },
  },
  {
    name: 'nor in an event within a wrapper',
    deliveries: [{ body: JSON.stringify({ body: escaped(variables({ secret__pin: '1234', shown: 'yes' })) }) }],
    rows: { conversations: [SHOWN] },
  },
];
