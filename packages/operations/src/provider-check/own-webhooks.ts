import type { ProviderWebhook } from '@landline/provider';
import { isOurs, ourUrlsOf } from './our-url.ts';
import { shownName, shownUrl } from './shown.ts';

/** Finds the webhooks with our URL, as PUBLIC_URL has it. Where that is not set, they are those with our path. */
export function ownWebhooks(webhooks: readonly ProviderWebhook[], publicUrl: string | undefined): ProviderWebhook[] {
  const { webhook } = ourUrlsOf(publicUrl);
  return webhooks.filter(({ url }) => isOurs(url, webhook));
}

/** Returns a webhook as a line shows it: its name, and its URL without what may be secret. */
export function describeWebhook(webhook: ProviderWebhook): string {
  return `${shownName(webhook)} (${shownUrl(webhook.url)})`;
}
