import { event, transcript, type Scenario } from './scenario.ts';

const failure = (at: number, failure_reason: string) =>
  event('call_initiation_failure', at, {
    failure_reason,
    metadata: { type: 'sip', body: { to_number: '+12015550146' } },
  });

/** Makes a scenario about the reason that a failed call's metadata give. */
const reason = (name: string, metadata: object, failure_reason: string | null): Scenario => ({
  name: `a failed call with ${name}: ${failure_reason}`,
  deliveries: [transcript({ status: 'failed', metadata })],
  rows: { conversations: [{ status: 'failed', failure_reason }] },
});

/** Scenarios about the status of a call, and why it failed. */
export const outcomes: Scenario[] = [
  {
    name: 'a call that its quota ended has the reason, and its turns',
    deliveries: [
      transcript({
        status: 'failed',
        transcript: [
          { role: 'agent', message: 'Good morning.' },
          { role: 'user', message: '...' },
        ],
        metadata: {
          error: { code: 1002, reason: 'This request exceeds your quota limit.' },
          termination_reason: 'quota',
        },
      }),
    ],
    rows: {
      conversations: [
        { status: 'failed', failure_reason: 'This request exceeds your quota limit.', end_reason: 'quota' },
      ],
      conversation_messages: [{ content: 'Good morning.' }, { content: '...' }],
    },
  },
  reason('an error as a text', { error: 'The line broke.', termination_reason: 'x' }, 'The line broke.'),
  reason('an error code alone', { error: { code: 1011 } }, '{"code":1011}'),
  reason('an error code and an end', { error: { code: 1011 }, termination_reason: 'Gone.' }, 'Gone.'),
  reason('an empty error', { error: {}, termination_reason: 'Gone.' }, 'Gone.'),
  reason('an empty error alone', { error: {} }, null),
  reason('an empty list as the error, which is how PHP prints an empty object', { error: [] }, null),
  reason('no error', { error: null, termination_reason: 'Gone.' }, 'Gone.'),
  reason('an empty reason', { error: { code: 3, reason: '' } }, '{"code":3,"reason":""}'),
  reason('a number as the error', { error: 1002 }, '1002'),
  reason('nothing', {}, null),
  {
    name: 'an error of a call that was done is no reason of a failure',
    deliveries: [transcript({ metadata: { error: { code: 1, reason: 'A tool was slow.' } } })],
    rows: {
      conversations: [
        { status: 'done', failure_reason: null, 'metadata.error': { code: 1, reason: 'A tool was slow.' } },
      ],
    },
  },
  {
    name: 'the error may stand beside the metadata',
    deliveries: [transcript({ status: 'failed', error: { reason: 'No quota.' }, metadata: {} })],
    rows: { conversations: [{ failure_reason: 'No quota.' }] },
  },
  {
    name: 'of two accounts the later decides: failed, a minute later done',
    deliveries: [
      transcript({ status: 'failed', metadata: { error: { reason: 'No quota.' } } }),
      transcript({ status: 'done', transcript: [{ role: 'user', message: 'hi' }] }, 160),
    ],
    rows: { conversations: [{ status: 'done', failure_reason: null }], conversation_messages: [{ content: 'hi' }] },
  },
  {
    name: 'done, a minute later failed, is failed',
    deliveries: [transcript({ status: 'done' }), transcript({ status: 'failed', metadata: { error: 'No.' } }, 160)],
    rows: { conversations: [{ status: 'failed', failure_reason: 'No.' }] },
  },
  {
    name: 'a call that did not come about and was then done is done, without a reason',
    deliveries: [failure(0, 'busy'), transcript()],
    rows: { conversations: [{ status: 'done', failure_reason: null }] },
  },
  {
    name: 'a later failure to call is failed, with its reason',
    deliveries: [transcript(), failure(200, 'no-answer')],
    rows: { conversations: [{ status: 'failed', failure_reason: 'no-answer' }] },
  },
  {
    name: 'of three accounts the last one counts',
    deliveries: [failure(0, 'busy'), transcript(), transcript({ status: 'failed', metadata: { error: 'Late.' } }, 300)],
    rows: { conversations: [{ status: 'failed', failure_reason: 'Late.' }] },
  },
  {
    name: 'nothing live is above an account of the finished call',
    deliveries: [
      transcript({ status: 'failed', metadata: { error: 'No.' } }),
      event('conversation.started', 300),
      event('conversation.ended', 400),
    ],
    rows: { conversations: [{ status: 'failed', failure_reason: 'No.' }] },
  },
  {
    name: 'an account that is not finished decides nothing',
    deliveries: [
      transcript({ status: 'failed', metadata: { error: 'No.' } }),
      transcript({ status: 'processing' }, 200),
    ],
    rows: { conversations: [{ status: 'failed', failure_reason: 'No.' }] },
  },
  {
    name: 'while none is finished the status only goes up',
    deliveries: [
      event('conversation.ended', 50),
      transcript({ status: 'processing' }),
      transcript({ status: 'in-progress' }, 200),
    ],
    rows: { conversations: [{ status: 'processing' }] },
  },
  {
    name: 'traces imply that the call is done, and say nothing against a failure',
    deliveries: [
      transcript({ status: 'failed', metadata: { error: 'No.' } }),
      event('post_call_transcription_otel', 200, { otlp_traces: {} }),
    ],
    rows: { conversations: [{ status: 'failed', failure_reason: 'No.' }] },
  },
  {
    name: 'an account without a status implies that the call is done, and says nothing against a failure',
    deliveries: [failure(0, 'busy'), transcript({ status: null })],
    rows: { conversations: [{ status: 'failed', failure_reason: 'busy' }] },
  },
];
