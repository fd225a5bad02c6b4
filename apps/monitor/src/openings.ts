import type { ListedConversation } from '@landline/provider';

/** How many sockets are opened between two lists, so that a start among many calls is no burst, and the loss of many sockets neither. */
const OPENED_AT_ONCE = 100;

/** What sockets are opened with. */
export interface OpeningsOptions {
  /** Whether a call may have a socket now, and has none. */
  mayOpen: (call: ListedConversation) => boolean;
  /** Whether the last list showed a call that is followed. */
  isListed: (id: string) => boolean;
  open: (call: ListedConversation) => void;
}

/** The opening of sockets. */
export interface Openings {
  /** Opens the sockets of listed calls that may have one, in this order, after each list. */
  openListed(inTurn: readonly ListedConversation[]): void;
  /** Opens the socket of a call again after a pause, however long the next list is away. Where the last list did not show the call, that is left to the next one. */
  openAgain(call: ListedConversation, pauseMs: number): void;
  /** Opens no more. */
  close(): void;
}

/** Makes what opens sockets: a hundred between two lists. */
export function createOpenings({ mayOpen, isListed, open }: OpeningsOptions): Openings {
  let left = 0;
  let isClosed = false;
  const openOne = (call: ListedConversation): void => {
    if (left === 0 || !mayOpen(call)) return;
    left--;
    open(call);
  };
  return {
    openListed(inTurn) {
      left = OPENED_AT_ONCE;
      for (const call of inTurn) openOne(call);
    },
    openAgain(call, pauseMs) {
      const again = setTimeout(() => {
        if (!isClosed && isListed(call.id)) openOne(call);
      }, pauseMs);
      again.unref();
    },
    close() {
      isClosed = true;
    },
  };
}
