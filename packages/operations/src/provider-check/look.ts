import { ProviderError } from '@landline/provider';
import type { ProviderSettings, ProviderWebhook } from '@landline/provider';
import { ourUrlsOf, type OurUrls } from './our-url.ts';
import { ownWebhooks } from './own-webhooks.ts';
import type { FindingLevel } from './provider-check.ts';
import type { ProviderView } from './view.ts';

/** What the findings are made of: what was read, and what is ours in it. */
export interface Look {
  view: ProviderView;
  publicUrl: string | undefined;
  urls: OurUrls;
  /** The webhooks with our URL; undefined: they could not be seen. */
  ours: readonly ProviderWebhook[] | undefined;
  /** Those of them that the workspace, an agent or the provider's own list of usages names. */
  used: readonly ProviderWebhook[];
  /** How grave it is that the workspace's settings are wrong: no agent may be left that has them. */
  workspaceLevel: FindingLevel;
  windowHours: number;
  keepsAudio: boolean;
}

/** What the provider calls the uses that make a webhook a post-call webhook. */
const POST_CALL_USE = /^ConvAI (?:Agent )?Settings$/i;

/** Finds what is ours in what was read. */
export function makeLook(view: ProviderView, facts: Pick<Look, 'publicUrl' | 'windowHours' | 'keepsAudio'>): Look {
  const urls = ourUrlsOf(facts.publicUrl);
  const ours =
    view.webhooks instanceof ProviderError ? undefined : ownWebhooks(view.webhooks.webhooks, facts.publicUrl);
  const used = (ours ?? []).filter((webhook) => isUsed(webhook, view));
  return { ...facts, view, urls, ours, used, workspaceLevel: levelOf(view, used) };
}

/** Returns the workspace's settings; undefined where they could not be seen. */
export function settingsOf({ view }: Look): ProviderSettings | undefined {
  return view.settings instanceof ProviderError ? undefined : view.settings;
}

/** Returns the webhooks of ours that matter: those in use, else all. */
export function relevantOf({ ours = [], used }: Look): readonly ProviderWebhook[] {
  return used.length > 0 ? used : ours;
}

function isUsed({ id, usages }: ProviderWebhook, { settings, agents }: ProviderView): boolean {
  return (
    (!(settings instanceof ProviderError) && settings.postCallWebhookId === id) ||
    agents.seen.some(({ webhooks }) => webhooks?.postCallWebhookId === id) ||
    (usages ?? []).some(({ type }) => POST_CALL_USE.test(type))
  );
}

/** Where each agent names a webhook of ours itself, what the workspace says is no fault. */
function levelOf({ agents }: ProviderView, used: readonly ProviderWebhook[]): FindingLevel {
  const ids = new Set(used.map(({ id }) => id));
  const isWhole = !agents.hasMore && agents.fault === undefined && agents.seen.length > 0;
  const haveOwn = agents.seen.every(({ webhooks }) => ids.has(webhooks?.postCallWebhookId ?? ''));
  return isWhole && haveOwn ? 'note' : 'fault';
}

/**
 * Tells whether a webhook of ours is there, enabled, not signed in another way than HMAC, and used by the workspace or an agent.
 *
 * @returns Null where that could not be seen.
 */
export function isWebhookUp({ view, ours, used }: Look): boolean | null {
  if (ours === undefined) return null;
  const well = ours.filter(isWell);
  if (well.length === 0) return false;
  if (well.some((webhook) => used.includes(webhook))) return true;
  if (well.every(({ usages }) => usages !== undefined)) return false;
  const { seen, hasMore, fault } = view.agents;
  const sawAll = !(view.settings instanceof ProviderError) && !hasMore && fault === undefined && seen.length > 0;
  return sawAll ? false : null;
}

function isWell({ isDisabled, isAutoDisabled, authType }: ProviderWebhook): boolean {
  return !isDisabled && !isAutoDisabled && (authType ?? 'hmac') === 'hmac';
}
