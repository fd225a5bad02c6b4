import type { Logger } from '@landline/process';
import { ProviderError, type MonitorSocket, type Provider } from '@landline/provider';
import { createCallEvents, loggedId, nameOf, type CallEvents } from './call-events.ts';
import type { RunningCall } from './live-event.ts';
import type { Outbox } from './outbox.ts';

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
  /** Called when the socket is closed by the other side, or fails; `pauseMs` is how long it may not be opened again. */
  onClosed: (closed: { code: number; reason: string; pauseMs: number }) => void;
}

/** A running call that is followed. */
export interface FollowedCall extends Pick<CallEvents, 'hasStarted' | 'start' | 'end'> {
  readonly call: RunningCall;
  isOpen(): boolean;
  /** Whether the pause is over after which the socket may be opened again. */
  mayOpen(): boolean;
  /** Opens the socket. Never throws: a call that none can be opened for is left alone from then on. */
  open(): void;
  /** Closes the socket. */
  close(): void;
}

/** Follows a call: sends what its socket brings to the outbox. Nothing is opened yet. */
export function followCall(call: RunningCall, options: FollowOptions): FollowedCall {
  const { provider, logger, now } = options;
  let socket: MonitorSocket | undefined;
  let openedAt = 0;
  let closings = 0;
  let mayOpenAt = 0;
  const events = createCallEvents(call, options);
  const close = (): void => {
    const closed = socket;
    socket = undefined;
    closed?.close();
  };
  const connect = (): MonitorSocket => {
    const opened: MonitorSocket = provider.monitor(call.id, {
      onMessage(message) {
        if (socket !== opened) return;
        options.onHeard();
        // Where there is no room the socket is closed: opened again later, it brings the last hundred messages once more.
        if (!events.take(message)) close();
      },
      onTooLarge() {
        if (socket !== opened) return;
        options.onHeard();
        events.leaveOut('has more than 1 MiB');
      },
      onClose(code, reason) {
        if (socket !== opened) return;
        socket = undefined;
        closings = now() - openedAt > STEADY_MS ? 1 : closings + 1;
        const pauseMs = Math.min(PAUSES.first * 2 ** (closings - 1), PAUSES.longest);
        mayOpenAt = now() + pauseMs;
        options.onClosed({ code, reason, pauseMs });
      },
    });
    return opened;
  };
  const open = (): void => {
    openedAt = now();
    try {
      socket = connect();
    } catch (error) {
      // An id that no path can hold, for example. It costs none of the calls that are listed after it.
      mayOpenAt = Infinity;
      logger.warn(
        { conversation: loggedId(call) },
        `No socket can be opened for a call, and nothing is told of it: ${error instanceof ProviderError ? error.message : nameOf(error)}`,
      );
    }
  };
  return {
    ...events,
    call,
    isOpen: () => socket !== undefined,
    mayOpen: () => socket === undefined && now() >= mayOpenAt,
    open,
    close,
  };
}
