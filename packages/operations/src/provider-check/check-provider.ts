import type { Provider } from '@landline/provider';
import type { ReconcileStore } from '@landline/store';
import { accessFindings } from './findings/access.ts';
import { agentFindings } from './findings/agents.ts';
import { initiationFindings } from './findings/initiation.ts';
import { arrivalFindings, findArrivals } from './findings/arrivals.ts';
import { explainLastFailure } from './findings/last-failure.ts';
import { publicUrlFindings } from './findings/public-url.ts';
import { reachFindings, type UrlTry } from './findings/reach.ts';
import { webhookFindings } from './findings/webhook.ts';
import { workspaceFindings } from './findings/workspace.ts';
import { isWebhookUp, makeLook } from './look.ts';
import type { ProviderCheck } from './provider-check.ts';
import { shown } from './shown.ts';
import { readProvider } from './view.ts';

/** What a look at the provider's side works with. */
export interface ProviderCheckPorts {
  provider: Pick<Provider, 'webhooks' | 'settings' | 'agents'>;
  /** PUBLIC_URL, an origin. Undefined: our webhook is recognised by its path alone. */
  publicUrl: string | undefined;
  /** Finds what we answered when the provider saw a failure. Where it throws, the look goes on without it. */
  refusedBetween: ReconcileStore['refusedBetween'];
  /**
   * Makes a GET of a URL of ours, and follows no redirect. Undefined: what answers at PUBLIC_URL is not tried. Workers look every five minutes, and from within a
   * network that may not lead to its own public name, so they do not try.
   */
  tryUrl?: ((url: string) => Promise<UrlTry>) | undefined;
  /** Tells how calls came. Where it throws, the look goes on without it. */
  arrivals: ReconcileStore['arrivals'];
  /** RECONCILE_WINDOW_HOURS */
  windowHours: number;
  /** Whether audio is kept here: RECORDINGS_URL is set. */
  keepsAudio: boolean;
  /** Unix milliseconds. */
  now: number;
}

/**
 * Looks at the provider's side of the line: key, webhook, events, agents. A look that is refused, or that finds the provider away, is a finding
 * and no error. Texts of the provider are bounded and have no control characters.
 *
 * @param signal  Ends the look: its reason is thrown.
 */
export async function checkProvider(ports: ProviderCheckPorts, signal: AbortSignal): Promise<ProviderCheck> {
  const view = await readProvider(ports.provider, signal);
  const look = makeLook(view, ports);
  const explained = await explainLastFailure(look, ports);
  const reach = await reachFindings(look, ports.tryUrl);
  const arrivals = await findArrivals(ports.arrivals, ports.now);
  signal.throwIfAborted();
  const atWebhook = [
    ...accessFindings(view),
    ...publicUrlFindings(look),
    ...reach,
    ...webhookFindings(look),
    ...(explained === undefined ? [] : [explained.finding]),
    ...workspaceFindings(look),
    ...agentFindings(look),
  ];
  return {
    checkedAt: ports.now,
    findings: [...atWebhook, ...arrivalFindings(arrivals, look, atWebhook), ...initiationFindings(look)],
    isWebhookUp: isWebhookUp(look),
    lastFailure: explained?.failure ?? null,
    agents: view.agents.seen.map(({ id, name }) => ({ id: shown(id, 100), name: shown(name, 100) })),
  };
}
