import type { ProviderWebhook } from '@landline/provider';
import { relevantOf, settingsOf, type Look } from '../look.ts';
import { describeOurUrl, nearMissOf } from '../our-url.ts';
import { allWebhooks, describeOther, describeWebhook, onlyByPath } from '../own-webhooks.ts';
import type { Finding } from '../provider-check.ts';
import { shown, shownName, shownNames, shownUrl } from '../shown.ts';
import { POST_CALL, WEBHOOKS } from './dashboard.ts';

/** The most webhooks that are named for being nearly ours. */
const MOST_NEAR = 5;

/** Findings about the webhook itself: whether it is there, switched on, and signed as we read it. */
export function webhookFindings(look: Look): Finding[] {
  const { ours } = look;
  if (ours === undefined) return [];
  if (ours.length === 0) return [missing(look)];
  const relevant = relevantOf(look);
  const faults = relevant.flatMap(faultsOf);
  return [...(faults.length === 0 ? relevant.map(fine) : faults), ...doubled(look), retries(relevant)];
}

function missing(look: Look): Finding {
  const { view, urls } = look;
  const all = allWebhooks(view);
  const near = all.flatMap((webhook) => {
    const miss = nearMissOf(webhook.url, urls.webhook);
    return miss === undefined ? [] : [`${shownName(webhook)} comes near, ${shownUrl(webhook.url)}: ${miss}.`];
  });
  const more = near.length > MOST_NEAR ? [`So do ${near.length - MOST_NEAR} more.`] : [];
  const none =
    all.length === 0
      ? 'The workspace has no webhook.'
      : `No webhook has the URL ${shown(describeOurUrl(urls.webhook))}.`;
  const id = settingsOf(look)?.postCallWebhookId ?? undefined;
  const sends = id === undefined || all.length === 0 ? [] : [`The workspace sends to ${describeOther(view, id)}.`];
  const what = [none, ...near.slice(0, MOST_NEAR), ...more, ...sends].join(' ');
  return { code: 'webhook_missing', level: 'fault', what, todo: waysToMend(look, near.length > 0) };
}

/** Creating a webhook is the second thing to think of where one differs in its host alone: PUBLIC_URL may have a slip of the pen. */
function waysToMend({ view, urls }: Look, isNear: boolean): string {
  const our = shown(describeOurUrl(urls.webhook));
  const create = `${WEBHOOKS} → Create webhook: URL ${our}, authentication HMAC, retries on. Write its secret into .env as ELEVENLABS_WEBHOOK_SECRET, and restart. Then choose it: ${POST_CALL}.`;
  const only = onlyByPath(view);
  if (only !== undefined) {
    return `If the webhook ${shownName(only.webhook)} is right, write PUBLIC_URL=${shown(only.origin)} into .env, and restart. If PUBLIC_URL is right: ${create}`;
  }
  return isNear ? `${create} A webhook’s URL cannot be changed.` : create;
}

function faultsOf(webhook: ProviderWebhook): Finding[] {
  const name = shownName(webhook);
  const fault = (code: string, what: string, todo: string): Finding => ({
    code,
    level: 'fault',
    what: `The webhook ${name} ${what}`,
    todo: `${WEBHOOKS} → ${name}: ${todo}`,
  });
  const { authType } = webhook;
  return [
    ...switchedOff(webhook, fault),
    ...(authType === 'hmac' ? [] : [authType === null ? unseenAuth(name) : wrongAuth(authType, fault)]),
  ];
}

type MakeFault = (code: string, what: string, todo: string) => Finding;

function switchedOff({ isDisabled, isAutoDisabled }: ProviderWebhook, fault: MakeFault): Finding[] {
  if (isAutoDisabled) return [autoDisabled(fault)];
  return isDisabled ? [fault('webhook_disabled', 'is switched off. Nothing is sent.', 'switch it on.')] : [];
}

function autoDisabled(fault: MakeFault): Finding {
  const what =
    'was switched off by ElevenLabs, because ten and more deliveries failed and none has succeeded for seven days. Nothing is sent.';
  return fault('webhook_auto_disabled', what, 'take the cause of the last failure away, then switch it on again.');
}

function unseenAuth(name: string): Finding {
  return {
    code: 'webhook_auth_unseen',
    level: 'unseen',
    what: `ElevenLabs does not say how the webhook ${name} signs. The receiver takes HMAC signatures alone.`,
    todo: `${WEBHOOKS} → ${name}: see that its authentication is HMAC.`,
  };
}

function wrongAuth(authType: string, fault: MakeFault): Finding {
  const what = `has the authentication ${shown(authType, 20)}. The receiver answers 401, because it takes HMAC signatures alone.`;
  const todo = `the authentication cannot be changed. Create a webhook with the same URL and HMAC, have your agents use it, and delete this one.`;
  return fault('webhook_auth', what, todo);
}

function fine(webhook: ProviderWebhook): Finding {
  const what = `The webhook ${describeWebhook(webhook)} is there, is switched on, and signs with HMAC.`;
  return { code: 'webhook', level: 'fine', what };
}

/** Several webhooks with one URL: a change of the secret, or deliveries that come twice. */
function doubled({ ours = [], used }: Look): Finding[] {
  const urls = [...new Set(ours.map(({ url }) => shownUrl(url)))];
  return urls.flatMap((url): Finding[] => {
    const same = ours.filter((webhook) => shownUrl(webhook.url) === url);
    if (same.length < 2) return [];
    const busy = same.filter((webhook) => used.includes(webhook));
    const what = `${same.length} webhooks have the URL ${url}: ${shownNames(same)}.`;
    return [{ code: 'webhook_doubled', level: 'note', ...(busy.length > 1 ? twice(what) : rotated(what)) }];
  });
}

function twice(what: string): Pick<Finding, 'what' | 'todo'> {
  return {
    what: `${what} More than one is in use: events may come twice, and each is applied once. All their secrets must be in ELEVENLABS_WEBHOOK_SECRET.`,
    todo: 'Have workspace and agents use the same one, unless the secret is being changed.',
  };
}

function rotated(what: string): Pick<Finding, 'what' | 'todo'> {
  return {
    what: `${what} That is what a change of the secret looks like.`,
    todo: `When the change is through, delete the one that nothing uses: ${WEBHOOKS}.`,
  };
}

/** The provider tells nobody whether it repeats what failed. */
function retries(webhooks: readonly ProviderWebhook[]): Finding {
  return {
    code: 'retries_unknown',
    level: 'note',
    what: 'ElevenLabs does not tell whether it repeats a transcript that failed. By default it sends each once.',
    todo: `npm run landline -- provider --enable-retries, or ${WEBHOOKS} → ${shownNames(webhooks)}: retries. Once you have done either, all is well: this line stays.`,
  };
}
