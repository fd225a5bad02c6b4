import type { ProviderAgent } from '@landline/provider';
import { counted } from '../../counted.ts';
import { ifPublicUrlIsRight, relevantOf, type Look } from '../look.ts';
import { describeOurUrl, isOurs } from '../our-url.ts';
import { FINDING_LEVELS, type Finding } from '../provider-check.ts';
import { shown, shownName, shownNames, shownUrl } from '../shown.ts';
import { excludedFault, formatFault, missingEvents } from './route.ts';

/** The most findings about single agents: a thousand lines would be read by nobody. */
const MOST = 50;

/** Findings about which agents the key sees, and about those that depart from the workspace. */
export function agentFindings(look: Look): Finding[] {
  const { seen, hasMore, fault } = look.view.agents;
  if (seen.length === 0) return fault === undefined ? [NONE] : [];
  const single = seen
    .flatMap((agent) => [...departures(agent, look), ...asksOthers(agent, look), ...privacyNotes(agent, look)])
    .sort((a, b) => FINDING_LEVELS.indexOf(b.level) - FINDING_LEVELS.indexOf(a.level));
  return [seenAgents(seen), ...(hasMore ? [more(seen.length)] : []), ...bounded(single)];
}

const NONE: Finding = {
  code: 'agents_none',
  level: 'fault',
  what: 'The key sees no agent, so it sees no call either: nothing can be compared or fetched.',
  todo: 'A key sees what its maker sees. Have your agents shared with the key’s maker (the agent → Share), or let whoever made them make the key.',
};

function seenAgents(seen: readonly ProviderAgent[]): Finding {
  const which = seen.length === 1 ? 'one agent' : `${seen.length} agents`;
  return {
    code: 'agents',
    level: 'note',
    what: `The key sees ${which}: ${shownNames(seen, 20)}. A key sees what its maker sees: calls of other agents are not compared.`,
    todo: 'Where one is missing, have it shared with the key’s maker: ElevenLabs → Agents → the agent → Share.',
  };
}

function more(count: number): Finding {
  return {
    code: 'agents_more',
    level: 'unseen',
    what: `The key sees more than ${count} agents. The others were not looked at.`,
    todo: 'Nothing. All their calls are compared.',
  };
}

function bounded(findings: readonly Finding[]): Finding[] {
  const [first] = findings.slice(MOST);
  if (first === undefined) return [...findings];
  const rest: Finding = {
    code: 'agents_rest',
    level: first.level,
    what: `${counted(findings.length - MOST, 'more finding')} about agents ${findings.length - MOST === 1 ? 'is' : 'are'} left out.`,
    todo: 'Mend those above, then look again.',
  };
  return [...findings.slice(0, MOST), rest];
}

/** What an agent's own settings send elsewhere, or leave out. */
function departures(agent: ProviderAgent, look: Look): Finding[] {
  const { webhooks: route } = agent;
  if (route === undefined) return [];
  const name = shownName(agent);
  const fault = (code: string, what: string, todo: string): Finding => ({
    code: `agent_${code}:${shown(agent.id)}`,
    level: 'fault',
    what: `The agent ${name} ${what}`,
    todo: `ElevenLabs → Agents → ${name} → its own post-call webhook: ${todo}`,
  });
  const isElsewhere = look.ours !== undefined && !look.ours.some(({ id }) => id === route.postCallWebhookId);
  const choice = look.ours?.length ? shownNames(relevantOf(look)) : 'the webhook with our URL';
  const missing = missingEvents(route, look.keepsAudio);
  const format = formatFault(route);
  const excluded = excludedFault(route);
  const where =
    route.postCallWebhookId === null
      ? 'has settings of its own that name no webhook.'
      : 'sends to a webhook that is not ours.';
  return [
    ...(isElsewhere ? [fault('webhook', where, `choose ${choice}, or remove it.`)] : []),
    ...(missing.length > 0
      ? [
          fault(
            'events',
            `does not send ${missing.map((each) => each.name).join(', ')}: ${missing.map(({ loss }) => loss).join('; ')}.`,
            'tick them, or remove it.',
          ),
        ]
      : []),
    ...(format === undefined
      ? []
      : [fault('format', `departs from the workspace: ${format}`, 'format JSON, or remove it.')]),
    ...(excluded === undefined ? [] : [fault('excluded', excluded, 'switch "exclude transcript" off, or remove it.')]),
  ];
}

/** An agent that asks who is calling at a URL of its own. */
function asksOthers(agent: ProviderAgent, look: Look): Finding[] {
  const { asksInitiation, initiationUrl: url } = agent;
  if (!asksInitiation || url === null || isOurs(url, look.urls.initiation)) return [];
  const name = shownName(agent);
  return [
    {
      code: `agent_initiation:${shown(agent.id)}`,
      level: 'fault',
      what: `The agent ${name} asks ${shownUrl(url)} who is calling, which is not ours.`,
      todo: `${ifPublicUrlIsRight(look, url)}ElevenLabs → Agents → ${name} → its own conversation initiation webhook: ${describeOurUrl(look.urls.initiation)}, or remove it.`,
    },
  ];
}

/** What the provider itself does not keep long enough to be fetched. */
function privacyNotes(agent: ProviderAgent, { windowHours }: Look): Finding[] {
  const { retentionDays, zeroRetention } = agent.privacy;
  const name = shownName(agent);
  const note = (code: string, what: string, todo: string): Finding => ({
    code: `agent_${code}:${shown(agent.id)}`,
    level: 'note',
    what,
    todo,
  });
  if (zeroRetention) {
    const what = `The agent ${name} has zero retention: the webhook is the only copy, and nothing can be fetched later.`;
    return [note('zero_retention', what, 'Nothing, if that is meant. Keep the receiver up.')];
  }
  if (retentionDays === null || retentionDays * 24 >= windowHours) return [];
  const what = `The agent ${name} keeps its calls for ${counted(retentionDays, 'day')}, which is less than the ${counted(windowHours, 'hour')} of RECONCILE_WINDOW_HOURS.`;
  return [
    note('retention', what, `Nothing, if that is meant. Else ElevenLabs → Agents → ${name} → Privacy: retention.`),
  ];
}
