import { ProviderError } from '@landline/provider';
import type { ProviderSettings, ProviderWebhook } from '@landline/provider';
import { isPrivateHost, ourUrlsOf, type OurUrls } from './our-url.ts';
import { allWebhooks, onlyByPath, ownWebhooks } from './own-webhooks.ts';
import { sendsTranscripts, type Route } from './findings/route.ts';
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
  const reachable = reachableUrl(facts.publicUrl, allWebhooks(view));
  const urls = ourUrlsOf(reachable);
  const ours = view.webhooks instanceof ProviderError ? undefined : ownWebhooks(view.webhooks.webhooks, reachable);
  const used = (ours ?? []).filter((webhook) => isUsed(webhook, view));
  return { ...facts, view, urls, ours, used, workspaceLevel: levelOf(view, used) };
}

/**
 * Returns PUBLIC_URL as far as the provider can have it. A private host tells nothing, a port of http is none of https, and a host of http that no webhook
 * has may be a slip of the pen. That PUBLIC_URL is wrong is a finding of its own, and all that would follow from it is none.
 */
function reachableUrl(publicUrl: string | undefined, webhooks: readonly ProviderWebhook[]): string | undefined {
  if (publicUrl === undefined || isPrivateHost(publicUrl)) return undefined;
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === 'https:') return publicUrl;
  const origin = `https://${hostname}`;
  const isSlip = ownWebhooks(webhooks, origin).length === 0 && ownWebhooks(webhooks, undefined).length > 0;
  return isSlip ? undefined : origin;
}

/** Returns the workspace's settings; undefined where they could not be seen. */
export function settingsOf({ view }: Look): ProviderSettings | undefined {
  return view.settings instanceof ProviderError ? undefined : view.settings;
}

/** Returns the webhooks of ours that matter: those in use, else all. */
export function relevantOf({ ours = [], used }: Look): readonly ProviderWebhook[] {
  return used.length > 0 ? used : ours;
}

/** Returns what stands before the advice to write our host where `url` stands: it is wrong where one webhook says that PUBLIC_URL itself has a slip of the pen. */
export function ifPublicUrlIsRight({ ours, view }: Look, url: string | null): string {
  const isDoubtful = ours?.length === 0 && url !== null && URL.canParse(url);
  return isDoubtful && new URL(url).origin === onlyByPath(view)?.origin ? 'If PUBLIC_URL is right: ' : '';
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
 * Tells whether a webhook of ours would bring the transcripts of calls: it is there, enabled, not signed in another way than HMAC, and the workspace or an agent
 * sends transcripts to it. An agent that departs from the workspace does not make all down: that is a finding of its own.
 *
 * @returns Null where that could not be seen.
 */
export function isWebhookUp(look: Look): boolean | null {
  const { view, ours, used } = look;
  if (ours === undefined) return null;
  const well = ours.filter(isWell);
  if (well.length === 0) return false;
  const isHere = ({ postCallWebhookId }: Route) => well.some(({ id }) => id === postCallWebhookId);
  const { seen, hasMore, fault } = view.agents;
  const sawAgents = !hasMore && fault === undefined && seen.length > 0;
  // What the workspace says is nothing where each agent has settings of its own.
  const settings = settingsOf(look);
  const isInherited = !sawAgents || seen.some(({ webhooks }) => webhooks === undefined);
  if (settings !== undefined && isInherited && isHere(settings)) return sendsTranscripts(settings);
  if (seen.some(({ webhooks }) => webhooks && isHere(webhooks) && sendsTranscripts(webhooks))) return true;
  if (well.every((webhook) => webhook.usages !== undefined && !used.includes(webhook))) return false;
  return settings !== undefined && sawAgents ? false : null;
}

function isWell({ isDisabled, isAutoDisabled, authType }: ProviderWebhook): boolean {
  return !isDisabled && !isAutoDisabled && (authType ?? 'hmac') === 'hmac';
}
