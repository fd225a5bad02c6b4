import { z } from 'zod';
import type { ProviderSettings } from '../provider.ts';
import { maybe, maybeText, maybeTrue } from './forms.ts';

/** Where events go, for the workspace or for one agent. */
export const eventSettings = {
  post_call_webhook_id: maybeText,
  events: z.array(z.string()).optional().catch(undefined),
  transcript_format: maybeText,
  exclude_transcript: maybeTrue,
};

/** The conversation-initiation webhook, of the workspace or of one agent. */
export const initiationWebhook = maybe({ url: maybeText });

/** Where events go, as `eventSettings` reads it; null where nothing is said of it. */
type EventSettings = z.infer<z.ZodObject<typeof eventSettings>>;

/** The answer of `GET /v1/convai/settings`. */
export const settings = z
  .object({ webhooks: maybe(eventSettings), conversation_initiation_client_data_webhook: initiationWebhook })
  .transform(({ webhooks, conversation_initiation_client_data_webhook: initiation }): ProviderSettings => ({
    ...eventsOf(webhooks),
    initiationUrl: initiation?.url ?? null,
  }));

/** Returns the settings in our words. */
export function eventsOf(said: EventSettings | null): Omit<ProviderSettings, 'initiationUrl'> {
  return {
    postCallWebhookId: said?.post_call_webhook_id ?? null,
    events: said?.events,
    transcriptFormat: said?.transcript_format ?? null,
    excludeTranscript: said?.exclude_transcript ?? false,
  };
}
