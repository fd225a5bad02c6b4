import type { EventItem } from '../../src/api/contract/events.ts';
import type { Tone } from '../parts/tag.tsx';

/** Event types that Landline knows, for the filter's suggestions. */
export const EVENT_TYPES = [
  'conversation.started',
  'conversation.message',
  'conversation.ended',
  'agent.tool_call',
  'agent.action',
  'post_call_transcription',
  'post_call_transcription_otel',
  'post_call_audio',
  'call_initiation_failure',
];

export const OUTCOMES = ['applied', 'ignored', 'dead'];

export function outcomeTone(outcome: EventItem['outcome']): Tone {
  if (outcome === 'applied') return 'good';
  return outcome === 'dead' ? 'bad' : 'quiet';
}
