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
  webhooks: { name: 'the webhooks of the workspace', permissions: ['webhooks_write', 'workspace_read'] },
  settings: { name: 'the settings of the workspace', permissions: ['convai_read'] },
  agents: { name: 'the agents', permissions: ['convai_read'] },
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
    ...byCause(faults).map((cause) => describeCause(cause, isKnown)),
    ...usages(webhooks),
  ];
}

type Part = keyof typeof PARTS;

/** Why parts could not be read. */
interface Cause {
  parts: readonly [Part, ...Part[]];
  fault: ProviderError;
}

/** Joins the parts that one cause keeps from being read: it is mended once. */
function byCause(faults: readonly (readonly [Part, ProviderError])[]): Cause[] {
  const causes = new Map<string, Cause>();
  for (const [part, fault] of faults) {
    const key = `${fault.code} ${fault.permission}`;
    const known = causes.get(key);
    causes.set(key, known ? { ...known, parts: [...known.parts, part] } : { parts: [part], fault });
  }
  return [...causes.values()];
}

/** @param isKnown  Whether the provider has answered for another part, so that its address is right. */
function describeCause({ parts, fault }: Cause, isKnown: boolean): Finding {
  const names = new Intl.ListFormat('en').format(parts.map((part) => PARTS[part].name));
  const what = `${names.charAt(0).toUpperCase()}${names.slice(1)} could not be`;
  // Of several parts the last one gives the code.
  const [last = parts[0]] = parts.slice(-1);
  if (fault.code === 'forbidden') return { code: `${last}_unseen`, level: 'unseen', ...unseen(parts, fault, what) };
  const todo = ADVICE[fault.code] ?? (isKnown ? ONE_PATH : REGION);
  return { code: `${last}_failed`, level: 'fault', what: `${what} read. ${shown(fault.message)}`, todo };
}

const KNOWN: Finding = { code: 'key', level: 'fine', what: 'ElevenLabs knows the API key.' };

const UNKNOWN: Finding = {
  code: 'key_unknown',
  level: 'fault',
  what: 'ElevenLabs does not know the API key: it is wrong, has expired or was deleted, or is a key of another region.',
  todo: `${KEYS} → Create key. Write it into .env as ELEVENLABS_API_KEY, and restart. A workspace with data residency needs its own ELEVENLABS_API_URL.`,
};

function unseen(parts: readonly Part[], { permission }: ProviderError, what: string): Pick<Finding, 'what' | 'todo'> {
  const permissions = [...new Set(parts.flatMap((part): readonly string[] => PARTS[part].permissions))];
  if (permission === undefined) {
    const todo = `${tickOf(...permissions)} Where it has that, its maker lacks the role: an administrator makes the key.`;
    return { what: `${what} looked at: this key may not.`, todo };
  }
  const isListed = permissions.includes(permission);
  return {
    what: `${what} looked at: the key lacks the permission ${shown(permission)}.`,
    todo: tickOf(...(isListed ? permissions : [permission])),
  };
}

const LATER =
  'Look again in some minutes, or when the line says. If it stays, see https://status.elevenlabs.io, and whether this machine reaches ELEVENLABS_API_URL.';

const REGION =
  'See that ELEVENLABS_API_URL is the API of your region: https://api.elevenlabs.io, unless your workspace has data residency. And that no proxy or firewall answers in its place.';

/** The rest of the API answers. */
const ONE_PATH =
  'Have a proxy pass the whole path /v1/ to ElevenLabs. Without a proxy: take the newest Landline, because the API has changed.';

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
      level: 'note',
      what: 'What uses each webhook is shown to administrators alone. The settings of workspace and agents were looked at instead.',
      todo: 'Nothing, unless you want it complete: an administrator makes the key.',
    },
  ];
}
