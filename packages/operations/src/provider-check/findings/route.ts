import type { ProviderAgent } from '@landline/provider';
import { shown } from '../shown.ts';

/** Where transcripts and audio go: the workspace's settings, or those of an agent that departs from them. */
export type Route = NonNullable<ProviderAgent['webhooks']>;

/** An event that a post-call webhook must send. */
export interface NeededEvent {
  event: string;
  /** In the dashboard's words. */
  name: string;
  /** What is lost without it. */
  loss: string;
}

const TRANSCRIPT: NeededEvent = {
  event: 'transcript',
  name: 'Transcript',
  loss: 'no transcript comes by itself',
};
const FAILURE: NeededEvent = {
  event: 'call_initiation_failure',
  name: 'Call initiation failure',
  loss: 'calls that nobody picked up leave no trace',
};
const AUDIO: NeededEvent = { event: 'audio', name: 'Audio', loss: 'no recording comes by itself' };

/** Returns the events that a route lacks; none where the provider does not say what it sends. */
export function missingEvents({ events }: Route, keepsAudio: boolean): NeededEvent[] {
  const needed = keepsAudio ? [TRANSCRIPT, FAILURE, AUDIO] : [TRANSCRIPT, FAILURE];
  return events === undefined ? [] : needed.filter(({ event }) => !events.includes(event));
}

/** Tells whether a route sends transcripts. Where the provider does not say what it sends, it does. */
export function sendsTranscripts({ events }: Route): boolean {
  return events?.includes(TRANSCRIPT.event) ?? true;
}

/** Tells whether a route sends audio; undefined where the provider does not say. */
export function sendsAudio({ events }: Route): boolean | undefined {
  return events?.includes(AUDIO.event);
}

/** Turns that a webhook leaves out come with the next comparison, once the call has been over for 45 minutes. */
const FETCHED = 'Workers with ELEVENLABS_API_KEY fetch them later.';

/** Returns what is wrong with the format of a route's transcripts; undefined: nothing. */
export function formatFault({ transcriptFormat }: Route): string | undefined {
  if (transcriptFormat === null || transcriptFormat === 'json') return undefined;
  return `transcripts come as ${shown(transcriptFormat, 40)}, without turns. ${FETCHED}`;
}

/** Returns what is wrong with transcripts that leave the turns out; undefined: they do not. */
export function excludedFault({ excludeTranscript }: Route): string | undefined {
  return excludeTranscript ? `leaves the turns out of transcripts. ${FETCHED}` : undefined;
}
