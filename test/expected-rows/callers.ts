import { event, transcript, type Scenario } from './scenario.ts';

const phoneCall = (external_number: string, more: object = {}) => ({
  metadata: {
    phone_call: { direction: 'inbound', agent_number: '+12015550100', external_number, call_sid: 'CA1' },
    main_language: 'de',
  },
  personality: 'speaks slowly',
  ...more,
});

/** Makes a scenario about the caller: the number in the conversation, and the keys of the profiles. */
const caller = (number: string, kept: string, profiles: string[]): Scenario => ({
  name: `a call from ${number} keeps ${kept} and makes ${profiles.length === 0 ? 'no profile' : `the profile ${profiles.join()}`}`,
  deliveries: [transcript(phoneCall(number))],
  rows: {
    conversations: [{ channel: 'phone', direction: 'inbound', external_number: kept, agent_number: '+12015550100' }],
    user_profiles: profiles.map((user_id) => ({ user_id, phone_number: user_id, language: 'de' })),
  },
});

/** Scenarios about the caller. */
export const callers: Scenario[] = [
  {
    name: 'two strangers who withhold their number share no profile',
    deliveries: [
      transcript({ conversation_id: 'one', ...phoneCall('+266696687', { user_profile: { name: 'Test One' } }) }),
      transcript({ conversation_id: 'two', ...phoneCall('+266696687', { personality: 'is in a hurry' }) }),
    ],
    rows: {
      conversations: [
        { id: 'one', external_number: '+266696687' },
        { id: 'two', external_number: '+266696687' },
      ],
      user_profiles: [],
    },
  },
  ...['+86282452253', '+8656696', '+2562533', '+7378742833'].map((number) => caller(number, number, [])),
  ...['anonymous', 'UNKNOWN', 'Restricted', 'private', 'Unavailable', 'withheld'].map((word) => caller(word, word, [])),
  caller('sip:anonymous@anonymous.invalid', 'sip:anonymous@anonymous.invalid', []),
  caller('<sip:Private@10.0.0.1:5060>', '<sip:Private@10.0.0.1:5060>', []),
  caller('"Anonymous" <sips:unavailable@host>;tag=a1', '"Anonymous" <sips:unavailable@host>;tag=a1', []),
  caller('sip:+266696687@trunk.example.com', '+266696687', []),
  caller('tel:+7378742833', '+7378742833', []),
  caller('sip:1001@pbx.example.com', 'sip:1001@pbx.example.com', []),
  caller('7378742833', '7378742833', ['7378742833']),
  caller('+1 (201) 555-0146', '+12015550146', ['+12015550146']),
  caller('sip:+12015550146@trunk.example.com;user=phone', '+12015550146', ['+12015550146']),
  caller('"Layla" <sip:%2B12015550146@host>;tag=77', '+12015550146', ['+12015550146']),
  caller('tel:+1-201-555-0146', '+12015550146', ['+12015550146']),
  {
    name: 'one caller over two trunks is one profile',
    deliveries: [
      transcript({ conversation_id: 'one', ...phoneCall('sip:+12015550146@a.example.com') }),
      transcript({ conversation_id: 'two', ...phoneCall('+12015550146') }, 200),
    ],
    rows: { user_profiles: [{ user_id: '+12015550146' }] },
  },
  {
    name: 'a user who is known keeps their number when they withhold it',
    deliveries: [
      transcript({ conversation_id: 'one', user_id: 'u', ...phoneCall('+12015550146') }),
      transcript({ conversation_id: 'two', user_id: 'u', ...phoneCall('Anonymous') }, 200),
    ],
    rows: { user_profiles: [{ user_id: 'u', phone_number: '+12015550146' }] },
  },
  ...['+266696687', 'Anonymous', 'sip:unavailable@host'].map((user_id): Scenario => ({
    name: `the withheld number ${user_id} in place of a user’s id makes no profile, and is kept`,
    deliveries: [
      transcript({ conversation_id: 'one', user_id, ...phoneCall('+266696687') }),
      transcript({ conversation_id: 'two', user_id, ...phoneCall('+12015550146') }),
    ],
    rows: {
      conversations: [
        { id: 'one', user_id },
        { id: 'two', user_id },
      ],
      user_profiles: [{ user_id: '+12015550146', phone_number: '+12015550146' }],
    },
  })),
  {
    name: 'a withheld number in a live start or in a failed call makes no profile either',
    deliveries: [
      event('conversation.started', 0, { conversation_id: 'one', caller_number: 'RESTRICTED', language: 'de' }),
      event('call_initiation_failure', 0, {
        conversation_id: 'two',
        failure_reason: 'busy',
        metadata: { type: 'twilio', body: { From: '+12015550100', To: '+2562533', Direction: 'outbound-api' } },
      }),
    ],
    rows: {
      conversations: [
        { id: 'one', external_number: 'RESTRICTED' },
        { id: 'two', external_number: '+2562533' },
      ],
      user_profiles: [],
    },
  },
  {
    name: 'the caller among the dynamic variables is read alike',
    deliveries: [
      transcript({
        conversation_initiation_client_data: { dynamic_variables: { system__caller_id: 'sip:+12015550146@host' } },
      }),
    ],
    rows: {
      conversations: [{ external_number: '+12015550146' }],
      user_profiles: [{ user_id: '+12015550146' }],
    },
  },
];
