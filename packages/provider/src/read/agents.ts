import { z } from 'zod';
import type { ProviderAgent } from '../provider.ts';
import { maybe, maybeNumber, maybeText, maybeTrue, text } from './forms.ts';
import { eventSettings, eventsOf, initiationWebhook } from './settings.ts';

/** A page of `GET /v1/convai/agents`: it has no settings. */
export const listedAgents = z.object({
  agents: z.array(z.object({ agent_id: text })),
  has_more: z.boolean().nullish().catch(undefined),
  next_cursor: maybeText,
});

/** The answer of `GET /v1/convai/agents/{id}`. */
export const agent = z
  .object({
    agent_id: text,
    name: maybeText,
    platform_settings: maybe({
      workspace_overrides: maybe({
        webhooks: maybe(eventSettings),
        conversation_initiation_client_data_webhook: initiationWebhook,
      }),
      overrides: maybe({ enable_conversation_initiation_client_data_from_webhook: maybeTrue }),
      privacy: maybe({
        retention_days: maybeNumber,
        zero_retention_mode: maybeTrue,
      }),
    }),
  })
  .transform(({ agent_id: id, name, platform_settings: platform }): ProviderAgent => {
    const own = platform?.workspace_overrides;
    const privacy = platform?.privacy;
    const days = privacy?.retention_days ?? -1;
    return {
      id,
      name: name ?? id,
      webhooks: own?.webhooks ? eventsOf(own.webhooks) : undefined,
      initiationUrl: own?.conversation_initiation_client_data_webhook?.url ?? null,
      asksInitiation: platform?.overrides?.enable_conversation_initiation_client_data_from_webhook ?? false,
      privacy: {
        // The provider writes -1 for: without a limit.
        retentionDays: days < 0 ? null : days,
        zeroRetention: privacy?.zero_retention_mode ?? false,
      },
    };
  });
