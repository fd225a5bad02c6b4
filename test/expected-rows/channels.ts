import { event, transcript, type Scenario } from './scenario.ts';

const started = (data: object, at = 0) => event('conversation.started', at, data);
const account = (metadata: object, more: object = {}) => transcript({ metadata, ...more });

/** Scenarios about the channel, the direction and the parties of a call. */
export const channels: Scenario[] = [
  {
    name: 'WhatsApp metadata give direction, person and profile',
    deliveries: [
      account({
        phone_call: null,
        sms: null,
        whatsapp: { direction: 'inbound', whatsapp_phone_number_id: '1000', whatsapp_user_id: '59100000001' },
        main_language: 'es',
        text_only: true,
      }),
    ],
    rows: {
      conversations: [
        {
          channel: 'whatsapp',
          direction: 'inbound',
          external_number: '59100000001',
          agent_number: null,
          language: 'es',
        },
      ],
      user_profiles: [{ user_id: '59100000001', phone_number: '59100000001', language: 'es' }],
    },
  },
  {
    name: 'an outbound WhatsApp conversation is with its user as well',
    deliveries: [account({ whatsapp: { direction: 'outbound', whatsapp_user_id: '59100000002' } })],
    rows: {
      conversations: [{ channel: 'whatsapp', direction: 'outbound', external_number: '59100000002' }],
      user_profiles: [{ user_id: '59100000002' }],
    },
  },
  {
    name: 'SMS metadata give direction and both numbers',
    deliveries: [
      account({
        phone_call: null,
        sms: {
          direction: 'inbound',
          phone_number_id: 'p',
          sms_user_phone_number: '+12015550146',
          agent_phone_number: '+12015550100',
        },
      }),
    ],
    rows: {
      conversations: [
        { channel: 'sms', direction: 'inbound', external_number: '+12015550146', agent_number: '+12015550100' },
      ],
      user_profiles: [{ user_id: '+12015550146' }],
    },
  },
  {
    name: 'a user id is the profile’s key before the number of an SMS',
    deliveries: [account({ sms: { direction: 'inbound', sms_user_phone_number: '+12015550146' } }, { user_id: 'u' })],
    rows: { user_profiles: [{ user_id: 'u', phone_number: '+12015550146' }] },
  },
  {
    name: 'an outbound SMS with from and to is to the person',
    deliveries: [account({ sms: { direction: 'outbound', from_number: '+12015550100', to_number: '+12015550146' } })],
    rows: { conversations: [{ channel: 'sms', external_number: '+12015550146', agent_number: '+12015550100' }] },
  },
  ...['outbound-api', 'outbound-dial', 'Outbound'].map((direction) => ({
    name: `a call that the carrier calls ${direction} is to the person, live and in the account`,
    deliveries: [
      started({ conversation_id: 'live', direction, caller_number: '+12015550100', called_number: '+12015550146' }),
      account(
        { phone_call: { direction, from_number: '+12015550100', to_number: '+12015550146' } },
        { conversation_id: 'final' },
      ),
    ],
    rows: {
      conversations: ['final', 'live'].map((id) => ({
        id,
        direction: 'outbound',
        external_number: '+12015550146',
        agent_number: '+12015550100',
      })),
    },
  })),
  {
    name: 'an empty WhatsApp object says nothing',
    deliveries: [account({ whatsapp: {}, phone_call: { direction: 'inbound', external_number: '+12015550146' } })],
    rows: { conversations: [{ channel: 'phone', external_number: '+12015550146' }] },
  },
  {
    name: 'a text-only conversation is a chat: by its override',
    deliveries: [
      account(
        { phone_call: null },
        {
          conversation_initiation_client_data: { conversation_config_override: { conversation: { text_only: true } } },
        },
      ),
    ],
    rows: { conversations: [{ channel: 'chat' }] },
  },
  ...(
    [
      ['by its metadata', { phone_call: null, text_only: true }, 'chat'],
      ['also where no phone call is named', { text_only: true }, 'chat'],
      ['but not where it says that it is not', { phone_call: null, text_only: false }, 'web'],
      ['but not on the telephone', { text_only: true, phone_call: { external_number: '+12015550146' } }, 'phone'],
      ['but not on SMS', { text_only: true, sms: { sms_user_phone_number: '+12015550146' } }, 'sms'],
    ] as const
  ).map(([name, metadata, channel]) => ({
    name: `a text-only conversation is a chat, ${name}`,
    deliveries: [account(metadata)],
    rows: { conversations: [{ channel }] },
  })),
  {
    name: 'a transcript without a phone call implies the web where no event names a channel',
    deliveries: [event('conversation.message', 1, { text: 'hi' }), account({ phone_call: null })],
    rows: { conversations: [{ channel: 'web' }] },
  },
  ...['phone', 'sip', 'whatsapp', 'kiosk'].map((channel) => ({
    name: `a bridge that says ${channel} knows better than an account without a phone call`,
    deliveries: [started({ channel, caller_number: '+12015550146' }), account({ phone_call: null })],
    rows: { conversations: [{ channel, external_number: '+12015550146' }] },
  })),
  {
    name: 'an account that names the telephone knows better than a bridge',
    deliveries: [started({ channel: 'web' }), account({ phone_call: { direction: 'inbound' } })],
    rows: { conversations: [{ channel: 'phone', direction: 'inbound' }] },
  },
  {
    name: 'a bridge that says messenger knows better than that the conversation is text-only',
    deliveries: [started({ channel: 'messenger' }), account({ phone_call: null, text_only: true })],
    rows: { conversations: [{ channel: 'messenger' }] },
  },
  {
    name: 'a failed call without a direction leaves the direction of an earlier event',
    deliveries: [
      started({ direction: 'inbound' }),
      event('call_initiation_failure', 9, { metadata: { type: 'sip', body: { to_number: '+12015550146' } } }),
    ],
    rows: { conversations: [{ direction: 'inbound', status: 'failed' }] },
  },
  {
    name: 'an end that an event names replaces one that is only implied',
    deliveries: [
      event('conversation.ended', 50, { ended_at: '2026-01-05T09:00:48Z' }),
      event('conversation.ended', 60, { reason: 'again' }),
    ],
    rows: { conversations: [{ ended_at: '2026-01-05T09:00:48+00:00', end_reason: 'again' }] },
  },
];
