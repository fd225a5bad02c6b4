import { hash } from 'node:crypto';
import type { Logger } from '@landline/process';
import type { Intake } from '@landline/intake';
import type { Delivery } from '@landline/webhook';
import type { InitiationRequest } from './read-request.ts';

/** How many events may be on their way to Redis. More are lost. */
const MOST_UNDER_WAY = 1_000;

/** How many calls' starts are remembered, so that a repeated request makes the same event. */
const MOST_REMEMBERED = 1_000;

/** The shortest time between two warnings of lost events, in ms. */
const WARNING_MS = 10_000;

/** Whether Redis took an event. */
export type StartedResult = 'enqueued' | 'lost';

/** Enqueues an event for each call that begins. */
export interface StartedEvents {
  /** Enqueues a `conversation.started` where the request names a conversation. It returns at once and never throws. */
  enqueue(call: InitiationRequest['call']): void;
  /** Resolves when no event is under way. */
  settled(): Promise<void>;
}

/** Dependencies and limits of `createStartedEvents`. */
export interface StartedOptions {
  intake: Pick<Intake, 'accept'>;
  logger: Logger;
  onResult: (result: StartedResult) => void;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** Makes the events and enqueues them. An event that Redis does not take is lost: the call's other events have the same facts. */
export function createStartedEvents({ intake, logger, onResult, now = Date.now }: StartedOptions): StartedEvents {
  const underWay = new Set<Promise<void>>();
  const beginnings = new Map<string, number>();
  let warnedAt = -Infinity;

  function lose(): void {
    onResult('lost');
    if (performance.now() - warnedAt < WARNING_MS) return;
    warnedAt = performance.now();
    logger.warn('Redis does not take conversation.started: these events are lost, and the calls go on');
  }

  /** Prints the event. Its time is that of the call's first request, so a repeated request has the same bytes and is the same event. */
  function bodyOf(call: InitiationRequest['call']): string {
    const data = dataOf(call);
    const key = hash('sha256', JSON.stringify(data));
    const startedAt = beginnings.get(key) ?? now();
    beginnings.set(key, startedAt);
    const [oldest] = beginnings.size > MOST_REMEMBERED ? beginnings.keys() : [];
    if (oldest !== undefined) beginnings.delete(oldest);
    return printed(data, startedAt);
  }

  return {
    enqueue(call) {
      if (call.conversation_id === undefined) return;
      if (underWay.size >= MOST_UNDER_WAY) return lose();
      const sending = intake
        .accept(delivered(bodyOf(call), now()))
        .then(() => onResult('enqueued'), lose)
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}

function dataOf({ conversation_id, agent_id, caller_id, called_number, call_sid }: InitiationRequest['call']): object {
  return {
    conversation_id,
    agent_id,
    caller_number: caller_id,
    called_number,
    call_sid,
    // ElevenLabs asks about inbound calls alone.
    direction: 'inbound',
  };
}

function printed(data: object, startedAt: number): string {
  return JSON.stringify({ type: 'conversation.started', timestamp: new Date(startedAt).toISOString(), data });
}

function delivered(body: string, receivedAt: number): Delivery {
  return { receivedAt, signedAt: Math.floor(receivedAt / 1000), secretId: 'initiation', encoding: 'utf8', body };
}
