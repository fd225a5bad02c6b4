import { ifPublicUrlIsRight, settingsOf, type Look } from '../look.ts';
import { describeOurUrl, isOurs, nearMissOf } from '../our-url.ts';
import type { Finding } from '../provider-check.ts';
import { shownNames, shownUrl } from '../shown.ts';

/** Findings about whom the workspace has agents ask before a call: nothing where no agent asks it. Agents with a URL of their own are not among them. */
export function initiationFindings(look: Look): Finding[] {
  const settings = settingsOf(look);
  const asking = look.view.agents.seen.filter(
    ({ asksInitiation, initiationUrl }) => asksInitiation && initiationUrl === null,
  );
  if (settings === undefined || asking.length === 0) return [];
  const our = look.urls.initiation;
  const url = settings.initiationUrl;
  if (url !== null && isOurs(url, our)) {
    return [{ code: 'initiation', level: 'fine', what: `Agents that ask who is calling ask ${shownUrl(url)}.` }];
  }
  const who = `Agents that ask who is calling: ${shownNames(asking)}.`;
  const miss = url === null ? undefined : nearMissOf(url, our);
  return [
    {
      code: url === null ? 'initiation_unset' : 'initiation_other',
      level: 'fault',
      what:
        url === null
          ? `${who} The workspace names no webhook that they could ask.`
          : `${who} They ask ${shownUrl(url)}, which is not ours${miss === undefined ? '' : ` (${miss})`}.`,
      todo: `${ifPublicUrlIsRight(look, url)}ElevenLabs → Agents → Settings → Conversation initiation client data webhook: ${describeOurUrl(our)}, with the header X-Landline-Token. Or switch the fetching off in these agents’ Security tab.`,
    },
  ];
}
