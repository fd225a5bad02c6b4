import { ProviderError, type ProviderWebhook } from '@landline/provider';
import { isOurs, ourUrlsOf } from './our-url.ts';
import { shownName, shownUrl } from './shown.ts';
import type { ProviderView } from './view.ts';

/** Finds the webhooks with our URL, as PUBLIC_URL has it. Where that is not set, they are those with our path. */
export function ownWebhooks(webhooks: readonly ProviderWebhook[], publicUrl: string | undefined): ProviderWebhook[] {
  const { webhook } = ourUrlsOf(publicUrl);
  return webhooks.filter(({ url }) => isOurs(url, webhook));
}

/** Returns all webhooks of the workspace; none where they could not be seen. */
export function allWebhooks({ webhooks }: ProviderView): readonly ProviderWebhook[] {
  return webhooks instanceof ProviderError ? [] : webhooks.webhooks;
}

/**
 * Returns the one webhook that is ours by its path, whatever its host, with its origin: what PUBLIC_URL should be where that is wrong. Undefined where there is none,
 * and where there are several.
 */
export function onlyByPath(view: ProviderView): { webhook: ProviderWebhook; origin: string } | undefined {
  const [webhook, ...others] = ownWebhooks(allWebhooks(view), undefined);
  return webhook === undefined || others.length > 0 ? undefined : { webhook, origin: new URL(webhook.url).origin };
}

/** Returns a webhook as a line shows it: its name, and its URL without what may be secret. */
export function describeWebhook(webhook: ProviderWebhook): string {
  return `${shownName(webhook)} (${shownUrl(webhook.url)})`;
}

/** Returns the webhook of an id as a line shows it, also where it could not be seen. */
export function describeOther(view: ProviderView, id: string): string {
  const other = allWebhooks(view).find((webhook) => webhook.id === id);
  return other === undefined ? `the webhook ${shownName({ id, name: '' })}` : describeWebhook(other);
}
