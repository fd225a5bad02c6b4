import { ProviderError, type ProviderFault } from '@landline/provider';
import type { Finding } from '../provider-check.ts';
import { shown } from '../shown.ts';
import type { ProviderView } from '../view.ts';

const KEYS = 'ElevenLabs → Developers → API keys';

/**
 * The parts of a look: what each is called, and the permissions that it needs, in the provider's words. Which of the two reading webhooks takes is not
 * verified, so both are named. docs/provider.md has the list.
 */
const PARTS = {
  webhooks: { name: 'The webhooks of the workspace', permissions: ['webhooks_write', 'workspace_read'] },
  settings: { name: 'The settings of the workspace', permissions: ['convai_read'] },
  agents: { name: 'The agents', permissions: ['convai_read'] },
} as const;

const TICKS: Readonly<Record<string, string>> = {
  convai_read: 'ElevenAgents: Read',
  convai_write: 'ElevenAgents: Write',
  webhooks_write: 'Webhooks: Access',
  workspace_read: 'Workspace: Read',
  workspace_write: 'Workspace: Write',
};

/** Returns what to click for a key to have permissions. */
export function tickOf(...permissions: readonly string[]): string {
  const ticks = permissions.map((permission) => {
    const tick = Object.hasOwn(TICKS, permission) ? TICKS[permission] : undefined;
    return tick === undefined ? shown(permission) : `${tick} (${permission})`;
  });
  return `${KEYS} → the key → Edit: give it ${ticks.join(' and ')}.`;
}

/** Findings about the key: whether the provider knows it, and what it may not see. */
export function accessFindings({ webhooks, settings, agents }: ProviderView): Finding[] {
  const reads = [
    ['webhooks', webhooks],
    ['settings', settings],
    ['agents', agents.fault],
  ] as const;
  const faults = reads.flatMap(([part, read]) => (read instanceof ProviderError ? [[part, read] as const] : []));
  if (faults.some(([, { code }]) => code === 'unauthorized')) return [UNKNOWN];
  const isKnown = faults.length < reads.length || faults.some(([, { code }]) => code === 'forbidden');
  return [
    ...(isKnown ? [KNOWN] : []),
    ...faults.map(([part, fault]) => (fault.code === 'forbidden' ? unseen(part, fault) : failed(part, fault))),
    ...usages(webhooks),
  ];
}

const KNOWN: Finding = { code: 'key', level: 'fine', what: 'ElevenLabs knows the API key.' };

const UNKNOWN: Finding = {
  code: 'key_unknown',
  level: 'fault',
  what: 'ElevenLabs does not know the API key: it is wrong, has expired or was deleted, or is a key of another region.',
  todo: `${KEYS} → Create key. Write it into .env as ELEVENLABS_API_KEY, and restart. A workspace with data residency needs its own ELEVENLABS_API_URL.`,
};

function unseen(part: keyof typeof PARTS, { permission }: ProviderError): Finding {
  const { name, permissions } = PARTS[part];
  const isListed = permissions.some((each) => each === permission);
  const why = permission === undefined ? 'this key may not' : `the key lacks the permission ${shown(permission)}`;
  return {
    code: `${part}_unseen`,
    level: 'unseen',
    what: `${name} could not be looked at: ${why}.`,
    todo:
      permission === undefined
        ? `${tickOf(...permissions)} Where it has that, its maker lacks the role: an administrator makes the key.`
        : tickOf(...(isListed ? permissions : [permission])),
  };
}

function failed(part: keyof typeof PARTS, { code, message }: ProviderError): Finding {
  return {
    code: `${part}_failed`,
    level: 'fault',
    what: `${PARTS[part].name} could not be read: ${shown(message)}`,
    todo: ADVICE[code] ?? REGION,
  };
}

const LATER =
  'Look again in some minutes. If it stays, see https://status.elevenlabs.io, and whether this machine reaches ELEVENLABS_API_URL.';

const REGION =
  'See that ELEVENLABS_API_URL is the API of your region: https://api.elevenlabs.io, unless your workspace has data residency.';

/** What to do about a part that could not be read, but for an answer that is none of the API's. */
const ADVICE: Readonly<Partial<Record<ProviderFault, string>>> = {
  busy: LATER,
  unavailable: LATER,
  refused: `With quota_exceeded: ${KEYS} → the key → Edit: raise its credit limit, or see the workspace’s plan. Else take the newest Landline: the API has changed.`,
  not_found:
    'Have a proxy pass the whole path /v1/ to ElevenLabs. Without a proxy: see whether the workspace’s plan has this part.',
};

function usages(webhooks: ProviderView['webhooks']): Finding[] {
  if (webhooks instanceof ProviderError || webhooks.seesUsages || webhooks.webhooks.length === 0) return [];
  return [
    {
      code: 'usages_unseen',
      level: 'unseen',
      what: 'What uses each webhook is shown to administrators alone. The settings of workspace and agents were looked at instead.',
      todo: 'Nothing, unless you want it complete: an administrator makes the key.',
    },
  ];
}
