import { printable, type Logger } from '@landline/process';
import { idempotencyKey } from '@landline/webhook';
import { faultOf } from './event-fault.ts';
import { endedEvent, eventOf, startedEvent } from './event-of.ts';
import type { LiveEvent, RunningCall } from './live-event.ts';
import type { Outbox } from './outbox.ts';
import type { Message } from './read-message.ts';

/** How many events of a call are known again, so that they are not sent again: more than the provider sends on connecting. */
const KNOWN_EVENTS = 500;

/** How much of an id a log line has, in characters. */
const MAX_LOGGED = 256;

/** What tells a call's events. */
export interface CallEvents {
  /** Whether the call's beginning was told: then its end is told as well. */
  hasStarted(): boolean;
  /** Tells the call's beginning, once. Returns false where the outbox has no room. */
  start(): boolean;
  /** Tells what a message says, and the beginning before it. Returns false where the outbox has no room; never throws, whatever the message holds. */
  take(message: Message): boolean;
  /** Tells the call's end. Returns false where the outbox has no room. */
  end(): boolean;
  /** Logs that a message is left out, and why. Each reason is said once, because the provider sends the same messages again and again. */
  leaveOut(why: string): void;
}

/** Tells a call's events to the outbox, each of them once. */
export function createCallEvents(
  call: RunningCall,
  { outbox, logger }: { outbox: Pick<Outbox, 'add'>; logger: Logger },
): CallEvents {
  let hasStarted = false;
  const known = createNewest(KNOWN_EVENTS);
  const said = new Set<string>();
  const leaveOut = (why: string): void => {
    if (said.has(why)) return;
    said.add(why);
    logger.warn(
      { conversation: loggedId(call) },
      `A message ${why}, and is left out, as is each one like it of this call`,
    );
  };
  const add = (event: LiveEvent): boolean => {
    const key = idempotencyKey(event.body);
    if (known.has(key)) return true;
    const fault = faultOf(event);
    if (fault !== undefined) leaveOut(fault);
    else if (!outbox.add(call.id, event)) return false;
    known.add(key);
    return true;
  };
  const start = (): boolean => (hasStarted ||= add(startedEvent(call)));
  return {
    hasStarted: () => hasStarted,
    start,
    take(message) {
      try {
        if (!start()) return false;
        const event = eventOf(call, message);
        return event === undefined || add(event);
      } catch (error) {
        leaveOut(`cannot be read (${nameOf(error)})`);
        return true;
      }
    },
    end: () => add(endedEvent(call)),
    leaveOut,
  };
}

/** Returns a call's id as a log line has it. */
export function loggedId({ id }: RunningCall): string {
  return printable(id.slice(0, MAX_LOGGED));
}

/** Returns an error's name: its message may quote what was said. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** Makes the set of the newest keys. */
function createNewest(most: number) {
  const keys = new Set<string>();
  return {
    has: (key: string) => keys.has(key),
    add(key: string) {
      keys.add(key);
      const [oldest] = keys;
      if (keys.size > most && oldest !== undefined) keys.delete(oldest);
    },
  };
}
