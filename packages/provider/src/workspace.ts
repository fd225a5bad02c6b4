import { ProviderError, type ProviderFault } from './errors.ts';
import { ANSWER_LIMIT_BYTES, fetchAnswer } from './fetch-answer.ts';
import type { ProviderAgent, ProviderSettings, ProviderWebhook, ProviderWebhooks } from './provider.ts';
import { agent, listedAgents } from './read/agents.ts';
import { PAGE_SIZE, pagesOf } from './read/pages.ts';
import { settings } from './read/settings.ts';
import { webhooks } from './read/webhooks.ts';
import { inPath } from './request/in-path.ts';
import type { Ask, Client } from './request/client.ts';

const WEBHOOKS_PATH = '/v1/workspace/webhooks';
const REFUSALS: ReadonlySet<ProviderFault> = new Set(['unauthorized', 'forbidden', 'refused']);
const AGENTS_PATH = '/v1/convai/agents';

/** Reads the webhooks of the workspace, with what uses them where the key may see that. */
export async function readWebhooks(client: Client, signal: AbortSignal): Promise<ProviderWebhooks> {
  const ask = { path: WEBHOOKS_PATH, what: 'the webhooks of the workspace', permission: 'workspace_read', signal };
  try {
    const { webhooks: found } = await fetchAnswer(
      client,
      { ...ask, path: `${WEBHOOKS_PATH}?include_usages=true` },
      webhooks,
    );
    return { webhooks: found, seesUsages: found.length === 0 || found.some(({ usages }) => usages !== undefined) };
  } catch (error) {
    // The usages are for administrators. The provider does not document how it refuses them to others.
    if (!(error instanceof ProviderError) || !REFUSALS.has(error.code)) throw error;
    const { webhooks: found } = await fetchAnswer(client, ask, webhooks);
    return { webhooks: found, seesUsages: false };
  }
}

/** Reads where the workspace's events go. */
export async function readSettings(client: Client, signal: AbortSignal): Promise<ProviderSettings> {
  const ask = { path: '/v1/convai/settings', what: 'the settings of the workspace', permission: 'convai_read', signal };
  return fetchAnswer(client, ask, settings);
}

/** Agents that are read together: as many as there are requests at once. */
const TOGETHER = 2;

/** Lists the agents, each with its settings. */
export async function* readAgents(client: Client, signal: AbortSignal): AsyncGenerator<ProviderAgent, void, undefined> {
  const ask = { what: 'the list of agents', permission: 'convai_read', signal };
  const query = new URLSearchParams({ page_size: `${PAGE_SIZE}` });
  const pages = pagesOf(ask.what, async (cursor) => {
    if (cursor !== undefined) query.set('cursor', cursor);
    const page = await fetchAnswer(client, { ...ask, path: `${AGENTS_PATH}?${query.toString()}` }, listedAgents);
    return { items: page.agents, hasMore: page.has_more ?? undefined, cursor: page.next_cursor };
  });
  const seen = new Set<string>();
  for await (const page of pages) {
    const fresh = page.map(({ agent_id: id }) => id).filter((id) => !seen.has(id) && seen.add(id));
    for (let at = 0; at < fresh.length; at += TOGETHER) {
      const asks = fresh
        .slice(at, at + TOGETHER)
        .map((id) => ({ ...ask, path: `${AGENTS_PATH}/${inPath(id)}`, what: `agent ${inPath(id)}` }));
      const found = await Promise.all(asks.map((one) => readAgent(client, one)));
      yield* found.filter((each) => each !== undefined);
    }
  }
}

/** Reads an agent; undefined for one that was deleted since it was listed. */
async function readAgent(client: Client, ask: Ask): Promise<ProviderAgent | undefined> {
  try {
    return await fetchAnswer(client, ask, agent);
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** Has the provider repeat what failed. Its API wants the name and whether the webhook is disabled as well. */
export async function switchRetriesOn(
  client: Client,
  { id, name, isDisabled }: Pick<ProviderWebhook, 'id' | 'name' | 'isDisabled'>,
  signal: AbortSignal,
): Promise<void> {
  const ask = {
    path: `${WEBHOOKS_PATH}/${inPath(id)}`,
    patch: { is_disabled: isDisabled, name, retry_enabled: true },
    what: `the change of webhook ${inPath(id)}`,
    permission: 'webhooks_write',
    signal,
  };
  await client.read(ask, ANSWER_LIMIT_BYTES, () => undefined);
}
