import { relevantOf, settingsOf, type Look } from '../look.ts';
import type { ProviderSettings } from '@landline/provider';
import { describeOther } from '../own-webhooks.ts';
import type { Finding } from '../provider-check.ts';
import { shownName, shownNames } from '../shown.ts';
import { POST_CALL } from './dashboard.ts';
import { excludedFault, formatFault, missingEvents, sendsAudio } from './route.ts';

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
  // Where there is no webhook of ours, that finding says what to choose once there is one.
  if (look.ours?.length === 0) return [];
  if (id === null) return wrong('post_call_webhook_unset', 'The workspace has no post-call webhook.');
  if (look.ours === undefined) return [];
  const own = look.ours.find((webhook) => webhook.id === id);
  if (own !== undefined) {
    return [{ code: 'post_call_webhook', level: 'fine', what: `The workspace sends to ${shownName(own)}.` }];
  }
  return wrong('post_call_webhook_other', `The workspace sends to ${describeOther(look.view, id)}, which is not ours.`);
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
  const excluded = excludedFault(settings);
  const faults: Finding[] = [
    ...missing,
    ...(format === undefined
      ? []
      : [{ code: 'transcript_format', level, what: `The workspace’s ${format}`, todo: `${POST_CALL}: format JSON.` }]),
    ...(excluded === undefined
      ? []
      : [
          {
            code: 'transcript_excluded',
            level,
            what: `The workspace ${excluded}`,
            todo: `${POST_CALL}: switch "exclude transcript" off.`,
          },
        ]),
  ];
  if (faults.length > 0) return [...faults, ...audioNotes(look, settings)];
  // That all is sent is no comfort where it is sent to others.
  return [...(look.ours?.length === 0 ? [] : [sent(settings)]), ...audioNotes(look, settings)];
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
