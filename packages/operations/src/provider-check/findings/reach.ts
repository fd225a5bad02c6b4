import type { Look } from '../look.ts';
import { describeOurUrl } from '../our-url.ts';
import type { Finding } from '../provider-check.ts';
import { shown, shownUrl } from '../shown.ts';

/** What a GET of our webhook's URL met: the status and headers of an answer, or the code of why there was none, such as ECONNREFUSED. */
export type UrlTry =
  { status: number; allow: string | null; location: string | null; type: string | null } | { fault: string };

/** Findings about what answers at PUBLIC_URL; none where the provider could not call it. The receiver answers a GET with 405 and `allow: POST`. */
export async function reachFindings(
  { publicUrl, urls }: Look,
  tryUrl: ((url: string) => Promise<UrlTry>) | undefined,
): Promise<Finding[]> {
  const { host } = urls.webhook;
  if (tryUrl === undefined || publicUrl === undefined || host === undefined) return [];
  if (new URL(publicUrl).protocol !== 'https:') return [];
  const url = describeOurUrl(urls.webhook);
  const tried = await tryUrl(url);
  if ('fault' in tried) return [unreachable(shown(url), tried.fault)];
  if (tried.status !== 405 || !/\bPOST\b/i.test(tried.allow ?? '')) return [other(shown(url), tried)];
  return [{ code: 'public_url_reached', level: 'fine', what: `Landline answers this machine at ${shown(url)}.` }];
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'nobody knows the name',
  EAI_AGAIN: 'the name could not be looked up',
  ECONNREFUSED: 'nothing takes the connection',
  ETIMEDOUT: 'nothing answers within five seconds',
};

/** Many a machine does not reach its own public name, so this says nothing of what the provider reaches. */
function unreachable(url: string, fault: string): Finding {
  const reason = Object.hasOwn(REASONS, fault) ? `${REASONS[fault]} (${fault})` : shown(fault, 60);
  return {
    code: 'public_url_unreachable',
    level: 'unseen',
    what: `${url} could not be tried from this machine: ${reason}. Behind some routers and firewalls a machine does not reach its own public name, and others do.`,
    todo: `Type on a machine elsewhere: curl -i ${url}. All is well where it answers 405 and "allow: POST". Else see the name, the certificate, and that proxy or tunnel run.`,
  };
}

type Answer = Exclude<UrlTry, { fault: string }>;

function other(url: string, answer: Answer): Finding {
  const { status, location, type } = answer;
  const to = location === null ? '' : ` to ${shownUrl(location)}`;
  const kind = /^\w+\/([\w.+-]+)/.exec(type ?? '')?.[1];
  const word = kind === undefined ? '' : ` (${shown(kind, 20)})`;
  return {
    code: 'public_url_other',
    // Who refuses a GET alone is no fault, and cannot be told from here.
    level: status === 401 || status === 403 ? 'unseen' : 'fault',
    what: `Something else answers at ${url}: ${status}${to}${word}. Landline answers a GET there with 405 and "allow: POST".`,
    todo: adviceOn(answer),
  };
}

const PASS = 'Let the proxy pass the path of the webhook, letter by letter, to the receiver.';

function adviceOn({ status }: Answer): string {
  if (status >= 500)
    return 'The proxy or tunnel does not reach the receiver. See that the receiver runs, and where they send the path.';
  if (status >= 300 && status < 400) return 'Give ElevenLabs and PUBLIC_URL the address at which no redirect is left.';
  if (status === 401 || status === 403) {
    return 'Let the proxy or firewall pass the webhook’s path without a login. Where it passes POST alone, and calls arrive, all is well.';
  }
  return `See that PUBLIC_URL names the host of the receiver. ${PASS}`;
}
