import { ProviderError } from '@landline/provider';
import type { Look } from '../look.ts';
import { describeOurUrl, isPrivateHost } from '../our-url.ts';
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
  if (protocol !== 'https:') {
    const today = `PUBLIC_URL begins with ${shown(protocol)}//, and ElevenLabs calls nothing but https.`;
    add('public_url_not_https', today, `${MEND} PUBLIC_URL=https://${shown(hostname)}`);
  }
  if (isPrivateHost(publicUrl)) {
    const today = `PUBLIC_URL names ${shown(hostname)}, which nobody on the Internet can reach.`;
    add('public_url_private', today, `${MEND} PUBLIC_URL=https://calls.example.com`);
  }
  if (faults.length > 0) return faults;
  return [{ code: 'public_url', level: 'fine', what: `ElevenLabs is to call ${shown(describeOurUrl(urls.webhook))}.` }];
}

function unset({ urls, ours = [], view }: Look): Finding {
  const hosts = new Set(ours.map(({ url }) => new URL(url).host));
  const many = hosts.size > 1 ? ` It is the path of ${hosts.size} hosts' webhooks, so all of them count.` : '';
  const seen =
    view.webhooks instanceof ProviderError
      ? ''
      : ` Webhooks count as ours by their path alone, ${urls.webhook.path}.${many}`;
  return {
    code: 'public_url_unset',
    level: 'note',
    what: `PUBLIC_URL is not set.${seen}`,
    todo: `${MEND} PUBLIC_URL=https://calls.example.com. Then the host is looked at as well.`,
  };
}
