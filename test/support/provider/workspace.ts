import type { GetAgentResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/GetAgentResponseModel.js';
import type { GetConvAiSettingsResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/GetConvAiSettingsResponseModel.js';
import type { WorkspaceWebhookResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/WorkspaceWebhookResponseModel.js';
import { AGENT_ID } from './conversation.ts';

/** A webhook of the workspace, as the provider answers it. */
export type Webhook = WorkspaceWebhookResponseModel.Raw;

/** The workspace's settings of its agents. */
export type Settings = GetConvAiSettingsResponseModel.Raw;

/** An agent with all its settings. */
export type Agent = GetAgentResponseModel.Raw;

/** The webhook of a workspace in which all is right. */
export const WEBHOOK_ID = 'webhook_landline';

const CREATED_AT = 1_760_000_000;

/** Makes a webhook: enabled, signed, used for what agents send, never failed. */
export function makeWebhook(more: Partial<Webhook> = {}): Webhook {
  return {
    name: 'Landline',
    webhook_id: WEBHOOK_ID,
    webhook_url: 'https://calls.example.com/api/elevenlabs/webhook',
    is_disabled: false,
    is_auto_disabled: false,
    created_at_unix: CREATED_AT,
    auth_type: 'hmac',
    usage: [{ usage_type: 'ConvAI Settings' }],
    events: null,
    most_recent_failure_error_code: null,
    most_recent_failure_timestamp: null,
    ...more,
  };
}

/** Makes settings: every event goes to `WEBHOOK_ID`, as JSON. */
export function makeSettings(more: Partial<Settings> = {}): Settings {
  return {
    conversation_initiation_client_data_webhook: null,
    webhooks: {
      post_call_webhook_id: WEBHOOK_ID,
      events: ['transcript', 'audio', 'call_initiation_failure'],
      transcript_format: 'json',
      exclude_transcript: false,
      send_audio: null,
    },
    can_use_mcp_servers: false,
    rag_retention_period_days: 10,
    default_livekit_stack: 'standard',
    ...more,
  };
}

/** Where an agent departs from the ordinary one. */
export interface AgentFacts {
  id?: string;
  name?: string;
  /** Null: those of the workspace. */
  webhooks?: Settings['webhooks'];
  asksInitiation?: boolean;
  privacy?: NonNullable<Agent['platform_settings']>['privacy'];
  isMonitored?: boolean;
}

/** Makes an agent: it inherits the workspace's webhooks, keeps everything, and may be monitored. */
export function makeAgent(facts: AgentFacts = {}): Agent {
  return {
    agent_id: facts.id ?? AGENT_ID,
    name: facts.name ?? 'Front desk',
    conversation_config: {
      agent: { first_message: 'Hello, how can I help?', language: 'en' },
      conversation: { text_only: false, monitoring_enabled: facts.isMonitored ?? true },
    },
    metadata: { created_at_unix_secs: CREATED_AT, updated_at_unix_secs: CREATED_AT },
    platform_settings: {
      overrides: { enable_conversation_initiation_client_data_from_webhook: facts.asksInitiation ?? false },
      workspace_overrides: {
        conversation_initiation_client_data_webhook: null,
        webhooks: facts.webhooks ?? null,
      },
      archived: false,
      privacy: {
        record_voice: true,
        retention_days: -1,
        delete_transcript_and_pii: false,
        delete_audio: false,
        apply_to_existing_conversations: false,
        zero_retention_mode: false,
        ...facts.privacy,
      },
    },
    phone_numbers: [],
    tags: [],
  };
}
