import { ProviderError } from '@landline/provider';
import type { Look } from '../look.ts';
import { describeOurUrl, isPrivateHost } from '../our-url.ts';
import { onlyByPath } from '../own-webhooks.ts';
import type { Finding } from '../provider-check.ts';
import { shown } from '../shown.ts';

const MEND = 'Write the origin under which ElevenLabs reaches the receiver into .env, such as';

/** Findings about PUBLIC_URL. */
export function publicUrlFindings(look: Look): Finding[] {
  const { publicUrl, urls } = look;
  if (publicUrl === undefined) return [unset(look)];
  const { protocol, hostname } = new URL(publicUrl);
  const faults: Finding[] = [];
  const add = (code: string, what: string, todo: string) => faults.push({ code, level: 'fault', what, todo });
  // A host of the Internet is named with https.
  if (protocol !== 'https:' && !isPrivateHost(publicUrl)) {
    const today = `PUBLIC_URL begins with ${shown(protocol)}//, and ElevenLabs calls nothing but https.`;
    const origin = urls.webhook.host === undefined ? exampleOf(look) : `https://${shown(hostname)}`;
    add(
      'public_url_not_https',
      `${today}${urls.webhook.host === undefined ? byPath(look) : ''}`,
      `${MEND} PUBLIC_URL=${origin}`,
    );
  }
  if (isPrivateHost(publicUrl)) {
    const today = `PUBLIC_URL names ${shown(hostname)}, which nobody on the Internet can reach.${byPath(look)}`;
    add('public_url_private', today, `${MEND} PUBLIC_URL=${exampleOf(look)}`);
  }
  if (faults.length > 0) return faults;
  return [{ code: 'public_url', level: 'fine', what: `ElevenLabs is to call ${shown(describeOurUrl(urls.webhook))}.` }];
}

function unset(look: Look): Finding {
  return {
    code: 'public_url_unset',
    level: 'note',
    what: `PUBLIC_URL is not set.${byPath(look)}`,
    todo: `${MEND} PUBLIC_URL=${exampleOf(look)}. Then the host is looked at as well.`,
  };
}

/** Returns an origin for PUBLIC_URL: that of the webhook with our path, where there is one. */
function exampleOf({ view }: Look): string {
  return shown(onlyByPath(view)?.origin ?? 'https://calls.example.com');
}

/** Says how webhooks are recognised while no host of ours is known. */
function byPath({ urls, ours = [], view }: Look): string {
  if (view.webhooks instanceof ProviderError) return '';
  const hosts = new Set(ours.map(({ url }) => new URL(url).host));
  const many = hosts.size > 1 ? ` It is the path of ${hosts.size} hosts' webhooks, so all of them count.` : '';
  return ` Webhooks count as ours by their path alone, ${urls.webhook.path}.${many}`;
}
