import { relevantOf, settingsOf, type Look } from '../look.ts';
import { ProviderError, type ProviderSettings } from '@landline/provider';
import { describeWebhook } from '../own-webhooks.ts';
import type { Finding } from '../provider-check.ts';
import { shownName, shownNames } from '../shown.ts';
import { formatFault, missingEvents, sendsAudio } from './route.ts';

/** Where the dashboard says where the workspace's events go. */
const POST_CALL = 'ElevenLabs → Agents → Settings → Post-call webhook';

/** Findings about what the workspace sends, and where. It holds for all agents that have no settings of their own. */
export function workspaceFindings(look: Look): Finding[] {
  const settings = settingsOf(look);
  if (settings === undefined) return [];
  const route = assignment(look, settings);
  // Without a webhook nothing is sent, whatever is chosen.
  return settings.postCallWebhookId === null ? route : [...route, ...contents(look, settings)];
}

function assignment(look: Look, { postCallWebhookId: id }: ProviderSettings): Finding[] {
  const choice = look.ours?.length ? `choose ${shownNames(relevantOf(look))}` : 'choose the webhook with our URL';
  const wrong = (code: string, what: string): Finding[] => [
    { code, level: look.workspaceLevel, what, todo: `${POST_CALL}: ${choice}.` },
  ];
  if (id === null) return wrong('post_call_webhook_unset', 'The workspace has no post-call webhook.');
  if (look.ours === undefined) return [];
  const own = look.ours.find((webhook) => webhook.id === id);
  if (own !== undefined) {
    return [{ code: 'post_call_webhook', level: 'fine', what: `The workspace sends to ${shownName(own)}.` }];
  }
  return wrong('post_call_webhook_other', `The workspace sends to ${describeOther(look, id)}, which is not ours.`);
}

function describeOther({ view }: Look, id: string): string {
  const all = view.webhooks instanceof ProviderError ? [] : view.webhooks.webhooks;
  const other = all.find((webhook) => webhook.id === id);
  return other === undefined ? `the webhook ${shownName({ id, name: '' })}` : describeWebhook(other);
}

function contents(look: Look, settings: ProviderSettings): Finding[] {
  const level = look.workspaceLevel;
  const missing = missingEvents(settings, look.keepsAudio).map(({ event, name, loss }): Finding => ({
    code: `events_${event}`,
    level,
    what: `The workspace does not send the event ${name}: ${loss}.`,
    todo: `${POST_CALL}: tick ${name}.`,
  }));
  const format = formatFault(settings);
  const faults: Finding[] = [
    ...missing,
    ...(format === undefined
      ? []
      : [{ code: 'transcript_format', level, what: `The workspace’s ${format}`, todo: `${POST_CALL}: format JSON.` }]),
    ...(settings.excludeTranscript ? [excluded(look)] : []),
  ];
  return [...(faults.length === 0 ? [sent(settings)] : faults), ...audioNotes(look, settings)];
}

function excluded({ workspaceLevel: level }: Look): Finding {
  return {
    code: 'transcript_excluded',
    level,
    what: 'The workspace leaves the turns out of transcripts. Such a transcript counts as one that came, so nobody fetches its turns.',
    todo: `${POST_CALL}: switch "exclude transcript" off.`,
  };
}

function sent({ events }: ProviderSettings): Finding {
  if (events === undefined) {
    return {
      code: 'events_unseen',
      level: 'unseen',
      what: 'ElevenLabs does not say which events the workspace sends.',
      todo: `${POST_CALL}: see that Transcript and Call initiation failure are ticked, and Audio where it is kept.`,
    };
  }
  return {
    code: 'events',
    level: 'fine',
    what: 'The workspace sends all events that are needed, with all turns, as JSON.',
  };
}

/** Where no audio is kept, none is needed; what is sent all the same is heard by nobody. */
function audioNotes({ keepsAudio }: Look, settings: ProviderSettings): Finding[] {
  const sends = sendsAudio(settings);
  if (keepsAudio || sends === undefined) return [];
  return sends
    ? [
        {
          code: 'audio_not_kept',
          level: 'note',
          what: 'Audio is sent, and not kept: RECORDINGS_URL is not set.',
          todo: `Set RECORDINGS_URL for the receiver, or ${POST_CALL}: leave Audio out.`,
        },
      ]
    : [
        {
          code: 'events_audio',
          level: 'note',
          what: 'Audio is not sent, and none is kept: RECORDINGS_URL is not set.',
          todo: `Nothing. To have recordings, set RECORDINGS_URL, and ${POST_CALL}: tick Audio.`,
        },
      ];
}
