import { printable, type Logger } from '@landline/process';
import type { MonitorSocket, Provider } from '@landline/provider';
import { idempotencyKey } from '@landline/webhook';
import { endedEvent, eventOf, startedEvent } from './event-of.ts';
import type { LiveEvent, RunningCall } from './live-event.ts';
import type { Outbox } from './outbox.ts';

/** The largest event, in bytes. A larger one would go by the receiver's disk; words of a call are far smaller. */
const MAX_BYTES = 262_144;

/** How many events of a call are known again, so that they are not sent again: more than the provider sends on connecting. */
const KNOWN_EVENTS = 500;

/** A socket that lived for so long counts as good: the pauses are short again. In ms. */
const STEADY_MS = 60_000;

/** The pauses before a socket is opened again, in ms: the first one doubles. */
const PAUSES = { first: 1_000, longest: 60_000 };

/** What a followed call works with. */
export interface FollowOptions {
  provider: Pick<Provider, 'monitor'>;
  outbox: Pick<Outbox, 'add'>;
  logger: Logger;
  now: () => number;
  /** Called with each message that the socket brings. */
  onHeard: () => void;
  /** Called when the socket is closed by the other side, or fails. */
  onClosed: (code: number, reason: string) => void;
}

/** A running call that is followed. */
export interface FollowedCall {
  readonly call: RunningCall;
  isOpen(): boolean;
  /** Whether the call's beginning was told: then its end is told as well. */
  hasStarted(): boolean;
  /** Whether the pause is over after which the socket may be opened again. */
  mayOpen(): boolean;
  open(): void;
  /** Closes the socket. */
  close(): void;
  /** Tells the call's beginning, once. Returns false where the outbox has no room. */
  start(): boolean;
  /** Tells the call's end. Returns false where the outbox has no room. */
  end(): boolean;
}

/** Follows a call: sends what its socket brings to the outbox. Nothing is opened yet. */
export function followCall(call: RunningCall, options: FollowOptions): FollowedCall {
  const { provider, outbox, logger, now } = options;
  let socket: MonitorSocket | undefined;
  let openedAt = 0;
  let closings = 0;
  let mayOpenAt = 0;
  let hasStarted = false;
  const known = createKnown();
  const add = (event: LiveEvent): boolean => {
    const key = idempotencyKey(event.body);
    if (known.has(key)) return true;
    if (!outbox.add(call.id, event)) return false;
    known.add(key);
    return true;
  };
  const close = (): void => {
    const closed = socket;
    socket = undefined;
    closed?.close();
  };
  const start = (): boolean => (hasStarted ||= add(startedEvent(call)));
  const take = (message: Readonly<Record<string, unknown>>): void => {
    const event = eventOf(call, message);
    if (event !== undefined && Buffer.byteLength(event.body) > MAX_BYTES) {
      logger.warn({ conversation: printable(call.id) }, 'A message is too large for an event, and is left out');
      return;
    }
    // Where there is no room the socket is closed: opened again later, it brings the last hundred messages once more.
    if (!start() || (event !== undefined && !add(event))) close();
  };
  const open = (): void => {
    openedAt = now();
    const opened: MonitorSocket = provider.monitor(call.id, {
      onMessage(message) {
        if (socket !== opened) return;
        options.onHeard();
        take(message);
      },
      onClose(code, reason) {
        if (socket !== opened) return;
        socket = undefined;
        closings = now() - openedAt > STEADY_MS ? 1 : closings + 1;
        mayOpenAt = now() + Math.min(PAUSES.first * 2 ** (closings - 1), PAUSES.longest);
        options.onClosed(code, reason);
      },
    });
    socket = opened;
  };
  return {
    call,
    isOpen: () => socket !== undefined,
    hasStarted: () => hasStarted,
    mayOpen: () => socket === undefined && now() >= mayOpenAt,
    open,
    close,
    start,
    end: () => add(endedEvent(call)),
  };
}

/** Makes the set of the newest keys. */
function createKnown() {
  const keys = new Set<string>();
  return {
    has: (key: string) => keys.has(key),
    add(key: string) {
      keys.add(key);
      const [oldest] = keys;
      if (keys.size > KNOWN_EVENTS && oldest !== undefined) keys.delete(oldest);
    },
  };
}
