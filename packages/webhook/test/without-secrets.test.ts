import { expect, test } from 'vitest';
import { changesOf, printed, values } from './support/deliver.ts';

test.each([
  [
    'a live start',
    { type: 'conversation.started', data: { dynamic_variables: { secret__pin: '4711', name: 'Layla' } } },
  ],
  ['beside data', { type: 'conversation.ended', secret__pin: '4711', name: 'Layla' }],
  ['in a list', { type: 'conversation.message', data: { context: [{ secret__pin: '4711' }, 'Layla'] } }],
  [
    'in parameters printed into a string',
    { type: 'agent.tool_call', data: { arguments: '{"secret__pin": "4711", "name": "Layla"}' } },
  ],
  [
    'in a profile',
    { type: 'agent.action', data: { user_id: 'u', user_profile: { secret__pin: '4711', name: 'Layla' } } },
  ],
  [
    'in client data that is a list',
    {
      type: 'post_call_transcription',
      data: { name: 'Layla', conversation_initiation_client_data: [{ secret__pin: '4711' }] },
    },
  ],
  [
    'in a failed call',
    { type: 'call_initiation_failure', data: { metadata: { body: { secret__pin: '4711', name: 'Layla' } } } },
  ],
  [
    'in the note of an update',
    {
      type: 'post_call_transcription',
      data: {
        transcript: [
          {
            message: 'Layla',
            tool_results: [
              { dynamic_variable_updates: [{ variable_name: 'secret__pin', old_value: null, new_value: '4711' }] },
            ],
          },
        ],
      },
    },
  ],
])('%s', (_, body) => {
  const text = printed(changesOf({ conversation_id: 'c', ...body }));

  expect(text).not.toContain('4711');
  expect(text).toContain('Layla');
});

test('all but the secrets is as it was, and a word that only speaks of them stays', () => {
  const data = {
    conversation_id: 'c',
    note: 'see secret__pin',
    list: [1, null, { variable_name: 'city', new_value: 'secret__' }],
    not_secret__: true,
  };
  const { metadata } = changesOf({ type: 'conversation.started', data: { ...data, secret__pin: '4711' } }).conversation;

  expect(values(metadata)).toEqual({ note: data.note, list: data.list, not_secret__: true });
});
