import { ProviderError, type Provider, type ProviderAgent, type ProviderFault } from '@landline/provider';
import type { ProviderSettings, ProviderWebhooks } from '@landline/provider';

/** The most agents that are looked at: each is a request of its own. */
const MOST_AGENTS = 1_000;

/** What a look has read, or why it could not. */
export interface ProviderView {
  webhooks: ProviderWebhooks | ProviderError;
  settings: ProviderSettings | ProviderError;
  agents: SeenAgents;
}

/** The agents that were read. */
export interface SeenAgents {
  seen: readonly ProviderAgent[];
  /** Whether there are more than are looked at. */
  hasMore: boolean;
  /** Why the list ended before its end. */
  fault: ProviderError | undefined;
}

/** Reads all that is looked at. The client sees to it that at most two requests are on their way. @throws the signal's reason */
export async function readProvider(
  provider: Pick<Provider, 'webhooks' | 'settings' | 'agents'>,
  signal: AbortSignal,
): Promise<ProviderView> {
  const [webhooks, settings] = await Promise.all([
    provider.webhooks(signal).catch(asValue),
    provider.settings(signal).catch(asValue),
  ]);
  const cause = causeOfBoth(webhooks, settings);
  if (cause !== undefined) return { webhooks, settings, agents: { seen: [], hasMore: false, fault: cause } };
  return { webhooks, settings, agents: await readAgents(provider, signal) };
}

/** What keeps both from being read will keep the agents from it too: who waits for the look need not wait for that. A key without permissions may see agents. */
const OF_EVERYTHING: ReadonlySet<ProviderFault> = new Set(['unauthorized', 'busy', 'unavailable', 'bad_answer']);

function causeOfBoth(one: unknown, other: unknown): ProviderError | undefined {
  if (!(one instanceof ProviderError && other instanceof ProviderError)) return undefined;
  return one.code === other.code && OF_EVERYTHING.has(one.code) ? one : undefined;
}

async function readAgents(provider: Pick<Provider, 'agents'>, signal: AbortSignal): Promise<SeenAgents> {
  const seen: ProviderAgent[] = [];
  try {
    for await (const agent of provider.agents(signal)) {
      if (seen.length === MOST_AGENTS) return { seen, hasMore: true, fault: undefined };
      seen.push(agent);
    }
    return { seen, hasMore: false, fault: undefined };
  } catch (error) {
    return { seen, hasMore: false, fault: asValue(error) };
  }
}

function asValue(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  throw error;
}
