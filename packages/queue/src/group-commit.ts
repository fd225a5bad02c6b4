import type { Delivery } from '@landline/webhook';
import { QueueUnavailableError } from './errors.ts';

/**
 * Writes to Redis under way at once. A group that has room left gathers while any is: groups grow with the load, and one fsync
 * answers more events. A full one (`maxEvents`, `maxBytes`) has nothing to wait for and goes beside it, so that Redis has the next
 * large one by then.
 */
export const MAX_WRITES_IN_FLIGHT = 4;

/**
 * Bytes of bodies that may wait in this process, in flight included: 64 MiB. Past it a Redis that is too slow would become our own
 * end by memory. One event alone is always tried, however large.
 */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** What a write is told of its group, and what it tells as it goes. */
export interface GroupTurn {
  /** The size of the group's bodies. */
  bytes: number;
  /** Redis is too slow for the group to be sent there. Never set where there is no spare place. */
  isSpare: boolean;
  /** One place has the group: if the others take too long, that is enough. */
  safe: () => void;
  /** Redis has answered: the next group may go there. */
  sent: () => void;
}

export interface GroupCommitOptions {
  /** Writes one group, all or nothing. Resolves or rejects when every place has answered. */
  write: (events: Delivery[], turn: GroupTurn) => Promise<void>;
  /** Whether a group that Redis is too slow for can be written elsewhere. */
  hasSpare?: boolean;
  maxEvents: number;
  /** Bytes of the bodies of one group; a larger event is a group of its own. */
  maxBytes: number;
  /** After this time a group's callers are told what is known by then, in ms. */
  timeoutMs: number;
}

export interface GroupCommit {
  /** Resolves when the event's group is written; rejects with it, and with it only. */
  add(event: Delivery): Promise<void>;
  /** Redis takes nothing: all groups that are not under way go elsewhere, or are rejected. */
  drop(fault: QueueUnavailableError): void;
  /** Resolves when every caller has been answered. */
  settled(): Promise<void>;
}

interface Deferred {
  done: Promise<void>;
  resolve: () => void;
  reject: (fault: unknown) => void;
}

interface Group extends Deferred {
  events: Delivery[];
  bytes: number;
  isSafe: boolean;
  /** Undefined when its time is over. */
  deadline?: NodeJS.Timeout | undefined;
}

/**
 * Groups what is added: all of one turn of the event loop leaves as one write, at the end of that turn, or of the write that is
 * under way then. With no load that is a group of one, and nothing waits.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { write, hasSpare = false, maxEvents, maxBytes, timeoutMs } = options;
  const waiting: Group[] = [];
  const unanswered = new Set<Group>();
  let inFlight = 0;
  let pendingBytes = 0;
  let scheduled = false;

  function openGroup(): Group {
    const group: Group = { events: [], bytes: 0, isSafe: false, ...deferred() };
    group.deadline = setTimeout(() => expire(group), timeoutMs);
    unanswered.add(group);
    waiting.push(group);
    return group;
  }

  /** Answers the group's callers; the first answer counts. */
  function answer(group: Group, fault?: unknown): void {
    clearTimeout(group.deadline);
    unanswered.delete(group);
    if (fault === undefined) group.resolve();
    else group.reject(fault);
  }

  /** Its time is over. What is not sent goes elsewhere; what is under way is answered by the first place that has it. */
  function expire(group: Group): void {
    const index = waiting.indexOf(group);
    if (index >= 0) waiting.splice(index, 1);
    if (hasSpare && index >= 0) return void send(group, true);
    if (group.isSafe) return answer(group);
    if (hasSpare) {
      group.deadline = undefined;
      return;
    }
    if (index >= 0) pendingBytes -= group.bytes;
    const state = index >= 0 ? 'it was not sent' : 'whether it was stored is unknown';
    answer(group, new QueueUnavailableError(`Redis did not take the event within ${timeoutMs} ms; ${state}.`));
  }

  function groupFor(bytes: number): Group {
    const last = waiting.at(-1);
    const fits = last !== undefined && last.events.length < maxEvents && last.bytes + bytes <= maxBytes;
    return fits ? last : openGroup();
  }

  async function send(group: Group, isSpare = false): Promise<void> {
    let isSlotTaken = !isSpare;
    if (isSlotTaken) inFlight += 1;
    const sent = () => {
      if (isSlotTaken) inFlight -= 1;
      isSlotTaken = false;
      schedule();
    };
    const safe = () => {
      group.isSafe = true;
      // Its time is over, and it was only waited for until one place has it.
      if (group.deadline === undefined) answer(group);
    };
    try {
      await write(group.events, { bytes: group.bytes, isSpare, safe, sent });
      answer(group);
    } catch (error) {
      answer(group, error);
    }
    pendingBytes -= group.bytes;
    sent();
  }

  /** Whether the first that waits may go to Redis: beside others only when it has no room left. */
  function mayLeave(isIdle: boolean): boolean {
    const [first] = waiting;
    if (first === undefined || inFlight >= MAX_WRITES_IN_FLIGHT) return false;
    return isIdle || waiting.length > 1 || first.events.length >= maxEvents || first.bytes >= maxBytes;
  }

  function flush(): void {
    scheduled = false;
    const isIdle = inFlight === 0;
    while (mayLeave(isIdle)) {
      const group = waiting.shift();
      if (group !== undefined) void send(group);
    }
  }

  function schedule(): void {
    if (scheduled || !mayLeave(inFlight === 0)) return;
    scheduled = true;
    setImmediate(flush);
  }

  return {
    add(event) {
      const bytes = Buffer.byteLength(event.body);
      if (pendingBytes > 0 && pendingBytes + bytes > MAX_PENDING_BYTES) {
        if (hasSpare) for (const group of waiting.splice(0)) void send(group, true);
        if (!hasSpare || pendingBytes + bytes > 2 * MAX_PENDING_BYTES)
          return Promise.reject(new QueueUnavailableError('Too many events wait for Redis in this process.'));
      }
      const group = groupFor(bytes);
      group.events.push(event);
      group.bytes += bytes;
      pendingBytes += bytes;
      schedule();
      return group.done;
    },
    drop(fault) {
      for (const group of waiting.splice(0)) {
        if (hasSpare) void send(group, true);
        else {
          pendingBytes -= group.bytes;
          answer(group, fault);
        }
      }
    },
    async settled() {
      await Promise.allSettled([...unanswered].map((group) => group.done));
    },
  };
}

function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (fault: unknown) => void;
  const done = new Promise<void>((onDone, onFault) => {
    resolve = onDone;
    reject = onFault;
  });
  return { done, resolve, reject };
}
