import { sign } from '@landline/webhook';
import { exampleBody } from '../../apps/cli/src/example-events.ts';
import type { SignedEvent } from '../contender.ts';

/** The secret of all contenders. */
export const SECRET = 'wsec_bench_0123456789abcdef0123456789abcdef';

/**
 * The kinds of load:
 *
 * - live events (0.3 KB each), ten for each call, of 100 calls at once, or of 1,000;
 * - the starts of 1,000 calls, and then their messages, which say nothing new about the call;
 * - transcripts of the named size or number of turns.
 */
export const EVENT_KINDS = ['live', 'live1000', 'messages1000', '10 KB', '100 KB', 'transcript30'] as const;

/** A kind of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** The size of a turn with its JSON, in bytes, about: see `turnOf`. */
const TURN_BYTES = 293;

const TURNS: Readonly<Record<Exclude<EventKind, 'live' | 'live1000' | 'messages1000'>, number>> = {
  '10 KB': Math.round(10_000 / TURN_BYTES),
  '100 KB': Math.round(100_000 / TURN_BYTES),
  transcript30: 30,
};

/**
 * Makes events, signed now, each with a body of its own.
 *
 * @param run  A word that no other run uses: the ids contain it.
 */
export function* signedEvents(kind: EventKind, count: number, run: string): Generator<SignedEvent> {
  const at = new Date();
  const signedAt = Math.floor(at.getTime() / 1000);
  for (let sequence = 0; sequence < count; sequence++) {
    const body = bodyOf(kind, { run, sequence, at });
    yield { body, signature: sign(body, SECRET, signedAt), signedAt };
  }
}

/** The place of an event in its run. */
interface Place {
  run: string;
  sequence: number;
  at: Date;
}

function bodyOf(kind: EventKind, place: Place): Buffer {
  switch (kind) {
    case 'live':
      return live(place, CALLS);
    case 'live1000':
      return live(place, MANY_CALLS);
    case 'messages1000':
      return message(place);
    case '10 KB':
    case '100 KB':
    case 'transcript30':
      return transcript(`conv_${place.run}_${place.sequence}`, TURNS[kind], place.at);
  }
}

/** Makes a live event of a call. Each call has a user of its own: events of one user would wait for the row of that user. */
function live({ run, sequence, at }: Place, calls: number): Buffer {
  const place = placeOf(sequence, calls);
  const text = exampleBody('live', run, { sequence: place, at }).toString('utf8');
  return Buffer.from(text.replace('user_42', `user_${run}_${Math.floor(place / EVENTS_OF_A_CALL)}`));
}

/** The events of a call of `exampleBody`. */
const EVENTS_OF_A_CALL = 10;
/** The calls under way at once; their events alternate. Events of one call, sent at once, would wait for the row of that call. */
const CALLS = 100;
/** The same for loads that show whether workers wait for each other: with so many calls, each transaction has events of most of them. */
const MANY_CALLS = 1000;

/** Makes the start of a call, or a message of it that names neither agent, user nor language. */
function message({ run, sequence, at }: Place): Buffer {
  const call = `conv_${run}_${sequence % MANY_CALLS}`;
  if (sequence < MANY_CALLS) {
    const text = exampleBody('conversation.started', run, { sequence, at }).toString('utf8');
    return Buffer.from(text.replace('user_42', `user_${run}_${sequence}`));
  }
  const role = Math.floor(sequence / MANY_CALLS) % 2 === 0 ? 'agent' : 'user';
  const data = { conversation_id: call, message_id: `msg_${sequence}`, role, message: sentence(14) };
  const event = { type: 'conversation.message', event_id: `evt_${sequence}`, timestamp: at.toISOString(), data };
  return Buffer.from(JSON.stringify(event));
}

/** The ten events of one call, in order. */
export function callEvents(run: string): SignedEvent[] {
  return [...signedEvents('live', CALLS * EVENTS_OF_A_CALL, run)].filter((_, sequence) => sequence % CALLS === 0);
}

/** Answers which event of which call comes as the nth event. */
function placeOf(sequence: number, calls: number): number {
  const within = sequence % (calls * EVENTS_OF_A_CALL);
  return sequence - within + (within % calls) * EVENTS_OF_A_CALL + Math.floor(within / calls);
}

/** Makes a post_call_transcription as ElevenLabs sends it. */
function transcript(conversationId: string, turns: number, at: Date): Buffer {
  const seconds = Math.floor(at.getTime() / 1000);
  const event = {
    type: 'post_call_transcription',
    event_timestamp: seconds,
    data: {
      agent_id: 'agent_bench',
      conversation_id: conversationId,
      status: 'done',
      user_id: `user_${conversationId}`,
      transcript: Array.from({ length: turns }, (_, i) => turnOf(i)),
      metadata: {
        start_time_unix_secs: seconds - turns * 4,
        call_duration_secs: turns * 4,
        cost: 296,
        main_language: 'en',
        termination_reason: 'Client ended call',
        phone_call: null,
      },
      analysis: {
        call_successful: 'success',
        transcript_summary: sentence(24),
        call_summary_title: sentence(4),
        evaluation_criteria_results: {},
        data_collection_results: {},
      },
    },
  };
  return Buffer.from(JSON.stringify(event));
}

function turnOf(index: number): object {
  return {
    role: index % 2 === 0 ? 'agent' : 'user',
    message: sentence(14),
    tool_calls: [],
    tool_results: [],
    feedback: null,
    time_in_call_secs: index * 4,
    conversation_turn_metrics: { metrics: { convai_llm_service_ttfb: { elapsed_time: 0.37 } } },
    interrupted: false,
  };
}

/** The sentences are made once, and repeated in other orders: making new ones took longer than sending them. */
const SENTENCES = 2000;
const sentences = new Map<number, string[]>();
const WORDS =
  `good morning how can I help you today the shop opens at nine and closes after six would like to book a table
  for two people near window please that is perfect thank what number should we call back if something changes order
  pizza delivery street minutes wait long time evening tomorrow yes no maybe`.split(/\s+/);

/** Makes a text of so many words that resembles speech. It compresses about as well as the words of people. */
function sentence(words: number): string {
  const make = (): string => Array.from({ length: words }, () => anyOf(WORDS)).join(' ');
  const known = sentences.get(words) ?? Array.from({ length: SENTENCES }, make);
  sentences.set(words, known);
  return anyOf(known);
}

function anyOf(texts: readonly string[]): string {
  return texts[Math.floor(Math.random() * texts.length)] ?? '';
}
