import type { ProviderCheckItem } from '../../src/api/contract/provider.ts';
import { countText } from '../parts/relative-time.ts';

/** More agents than these are folded. */
const MOST_UNFOLDED = 12;

/** The agents that the key sees: calls of others are in no list, and are never missed. Where it sees none, a finding says so. */
export function Agents({ check }: { check: ProviderCheckItem }) {
  const { agents, agent_count: total, has_more_agents: hasMore, findings } = check;
  if (total === 0) return null;
  const count = `${hasMore ? 'at least ' : ''}${total === 1 ? 'one agent' : `${countText(total)} agents`}`;
  return (
    <section class="provider-agents" aria-labelledby="agents">
      <h2 id="agents">Agents</h2>
      <p class="quiet">
        The API key sees {count}. Calls of agents that it does not see are not compared.{' '}
        {findings.find(({ code }) => code === 'agents')?.todo}
      </p>
      {agents.length <= MOST_UNFOLDED ? (
        <AgentList check={check} />
      ) : (
        <details>
          <summary>Show them</summary>
          <AgentList check={check} />
        </details>
      )}
    </section>
  );
}

function AgentList({ check: { agents, agent_count: total, has_more_agents: hasMore } }: { check: ProviderCheckItem }) {
  const left = total - agents.length;
  return (
    <ul class="agent-list">
      {agents.map(({ id, name }) => (
        <li key={id}>
          <a href={`/conversations?${new URLSearchParams({ agent: id })}`}>
            <bdi>{name}</bdi>
          </a>{' '}
          <code>{id}</code>
        </li>
      ))}
      {left > 0 && (
        <li class="quiet">
          and {hasMore && 'at least '}
          {countText(left)} more
        </li>
      )}
    </ul>
  );
}
