import { z } from 'zod';
import { sees, type Access } from './access.ts';
import { invalid, notFound, ok, refusal, type Answer } from './answers.ts';
import { pageOf } from './pages.ts';
import type { Agent } from './workspace.ts';
import type { World } from './world.ts';

/** Answers the workspace's webhooks; what uses them only to administrators. */
export function listWebhooks(world: World, query: URLSearchParams, access: Access): Answer {
  const isWithUsages = query.get('include_usages') === 'true';
  if (isWithUsages && !access.isAdmin) {
    return refusal(403, 'forbidden', 'Only workspace admins can include the usages of webhooks.');
  }
  const webhooks = [...world.webhooks.values()];
  return ok({ webhooks: isWithUsages ? webhooks : webhooks.map((each) => ({ ...each, usage: null })) });
}

const changes = z.record(z.string(), z.unknown());

/** Changes a webhook: its name, whether it is disabled, and whether the provider repeats what failed. */
export function updateWebhook(world: World, id: string, body: unknown): Answer {
  const { is_disabled, name, retry_enabled } = changes.parse(body ?? {});
  if (typeof is_disabled !== 'boolean') return missing('is_disabled');
  if (typeof name !== 'string') return missing('name');
  const webhook = world.webhooks.get(id);
  if (webhook === undefined) return notFound('webhook', id);
  world.webhooks.set(id, { ...webhook, is_disabled, name });
  if (retry_enabled === true) world.retried.add(id);
  if (retry_enabled === false) world.retried.delete(id);
  return ok({ status: 'ok' });
}

const missing = (field: string): Answer => invalid(['body', field], 'Field required', 'missing');

/** Answers the agents that a key sees. */
export function listAgents(world: World, query: URLSearchParams, access: Access): Answer {
  const items = [...world.agents.values()].filter(({ agent_id }) => sees(access, agent_id));
  return pageOf(query, { name: 'agents', items, keyOf, direction: 'desc', print: summaryOf });
}

const keyOf = ({ metadata, agent_id }: Agent): string => `${metadata.created_at_unix_secs} ${agent_id}`;

/** Answers an agent with all its settings. */
export function oneAgent(world: World, id: string, access: Access): Answer {
  const agent = world.agents.get(id);
  return agent === undefined || !sees(access, id) ? notFound('agent', id) : ok(agent);
}

function summaryOf({ agent_id, name, metadata }: Agent) {
  return {
    agent_id,
    name,
    voice_id: 'voice_01',
    tags: [],
    created_at_unix_secs: metadata.created_at_unix_secs,
    access_info: { is_creator: true, creator_name: 'Layla', creator_email: 'layla@example.com', role: 'admin' },
    last_call_time_unix_secs: null,
    archived: false,
  };
}
