import { z } from 'zod';
import type { ProviderWebhook } from '../provider.ts';
import { maybeNumber, maybeText, maybeTime, maybeTrue, text } from './forms.ts';

const usages = z.array(z.object({ usage_type: text }).transform(({ usage_type: type }) => ({ type })));

/** The answer of `GET /v1/workspace/webhooks`. A name and whether it is disabled are sent back when retries are switched on, so they must be there. */
export const webhooks = z.object({
  webhooks: z.array(
    z
      .object({
        webhook_id: text,
        name: z.string(),
        webhook_url: text,
        is_disabled: z.boolean(),
        is_auto_disabled: maybeTrue,
        auth_type: maybeText,
        created_at_unix: maybeTime,
        usage: usages.optional().catch(undefined),
        most_recent_failure_error_code: maybeNumber,
        most_recent_failure_timestamp: maybeTime,
      })
      .transform((webhook): ProviderWebhook => ({
        id: webhook.webhook_id,
        name: webhook.name,
        url: webhook.webhook_url,
        isDisabled: webhook.is_disabled,
        isAutoDisabled: webhook.is_auto_disabled,
        authType: webhook.auth_type,
        createdAt: webhook.created_at_unix,
        usages: webhook.usage,
        lastFailure:
          webhook.most_recent_failure_timestamp === null
            ? undefined
            : { code: webhook.most_recent_failure_error_code, at: webhook.most_recent_failure_timestamp },
      })),
  ),
});
