import { QueueUnavailableError } from '@landline/queue/errors';
import type { Journal, JournalEntry } from '@landline/journal';
import type { Delivery } from '@landline/webhook';
import { bodyLength } from '@landline/webhook/delivery';
import { packEvents, type PackedEvents } from '@landline/webhook/packed-events';
import { beginGroup, type Group, type GroupStep } from './group.ts';
import { groupWithRoom, isIdle, mayLeave, openLane, type Lane } from './lane.ts';

/**
 * Bytes of bodies that may wait in this process, in flight included: 64 MiB. Without the limit a slow Redis would exhaust our memory.
 * A single event is always tried, however large.
 */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** What each MiB of a large event adds to its time where there is no journal, in ms: a line of 8 Mbit/s carries a MiB in a second. */
const LIMIT_MS_PER_MEBIBYTE = 1000;

const MEBIBYTE = 1024 * 1024;

/** The places that keep groups, and the limits of a group. */
export interface GroupCommitOptions {
  redis: {
    /** Returns why Redis takes no group now; undefined when it does. */
    fault: () => QueueUnavailableError | undefined;
    /** Resolves when Redis has the events, whose bodies have so many bytes. @throws QueueUnavailableError */
    add: (events: readonly Delivery[], bytes: number, packed?: PackedEvents) => Promise<void>;
  };
  /** Keeps every group beside Redis. The journal alone is enough for a group that Redis does not take. */
  journal?: Pick<Journal, 'append'> | undefined;
  /** How many Redis there are: so many groups may be written beside each other before they are full. 1 by default. */
  shards?: number;
  /** Called when the journal has a group, and Redis does not have it or its answer is unknown. */
  onJournalAlone: () => void;
  maxEvents: number;
  /** Bytes of the bodies of one group; a larger event is a group by itself. */
  maxBytes: number;
  /** An event whose body has more bytes goes beside the groups, on a lane of its own. */
  largeBytes: number;
  /** After this time a group's callers get the outcome that is known by then, in ms. */
  timeoutMs: number;
}

/** Writes events in groups. */
export interface GroupCommit {
  /** Resolves when the event's group is durable; rejects with the group's fault, a QueueUnavailableError. */
  add(event: Delivery): Promise<void>;
  /** Call it when Redis is away. Sends waiting groups to the journal alone, or refuses them where there is no journal. */
  drop(fault: QueueUnavailableError): void;
  /** Resolves when every caller has been answered. */
  settled(): Promise<void>;
}

interface Line extends GroupCommitOptions {
  readonly small: Lane;
  /** Events that are large jobs by themselves: no other event waits for their write. */
  readonly large: Lane;
  readonly unanswered: Set<Group>;
  pendingBytes: number;
}

/**
 * Makes a group commit. All events of one turn of the event loop leave as one write: at the end of that turn, or of the write under
 * way. Without load that is a group of one, and no event waits. group.ts has the states of a group.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { shards = 1 } = options;
  const line: Line = {
    ...options,
    small: openLane({ ...options, shards }),
    large: openLane({ maxEvents: 1, maxBytes: 0, shards }),
    unanswered: new Set(),
    pendingBytes: 0,
  };
  return {
    add: (event) => add(line, event),
    drop: (fault) => {
      for (const { lane, group } of takeGathering(line)) withoutRedis(line, group, { lane, fault });
    },
    async settled() {
      await Promise.allSettled([...line.unanswered].map(({ answer }) => answer));
    },
  };
}

/** Empties both lanes, and returns the groups that gathered. */
function takeGathering({ small, large }: Line): { lane: Lane; group: Group }[] {
  return [small, large].flatMap((lane) => lane.gathering.splice(0).map((group) => ({ lane, group })));
}

function add(line: Line, event: Delivery): Promise<void> {
  const bytes = bodyLength(event);
  const fault = line.pendingBytes > 0 ? makeRoomFor(line, bytes) : undefined;
  if (fault !== undefined) return Promise.reject(fault);
  const lane = bytes > line.largeBytes ? line.large : line.small;
  const group = groupFor(line, lane, bytes);
  group.events.push(event);
  group.bytes += bytes;
  line.pendingBytes += bytes;
  schedule(line, lane);
  return group.answer;
}

/** Makes room for so many bytes: sends waiting groups to the journal, if needed. Returns why there is no room; undefined when there is. */
function makeRoomFor(line: Line, bytes: number): QueueUnavailableError | undefined {
  const wanted = line.pendingBytes + bytes;
  if (wanted <= MAX_PENDING_BYTES) return undefined;
  if (line.journal !== undefined) {
    for (const { lane, group } of takeGathering(line)) send(line, group, { lane, isForRedis: false });
    if (wanted <= 2 * MAX_PENDING_BYTES) return undefined;
  }
  return new QueueUnavailableError('Too many events wait for Redis in this process.');
}

function groupFor(line: Line, lane: Lane, bytes: number): Group {
  const gathering = groupWithRoom(lane, bytes);
  if (gathering !== undefined) return gathering;
  const timeoutMs = timeLimit(line, lane, bytes);
  const group = beginGroup(timeoutMs, (late) => expire(line, late, { lane, timeoutMs }));
  line.unanswered.add(group);
  const answered = () => void line.unanswered.delete(group);
  group.answer.then(answered, answered);
  lane.gathering.push(group);
  return group;
}

/** Without a journal a large event waits for as long as its own bytes may take; with one, the journal alone is enough in time. */
function timeLimit({ journal, large, timeoutMs }: Line, lane: Lane, bytes: number): number {
  if (lane !== large || journal !== undefined) return timeoutMs;
  return timeoutMs + Math.ceil((LIMIT_MS_PER_MEBIBYTE * bytes) / MEBIBYTE);
}

/** Ends a group's time. An unsent group is sent to the journal alone. A group under way is answered by the first place that has it. */
function expire(line: Line, group: Group, { lane, timeoutMs }: { lane: Lane; timeoutMs: number }): void {
  const isUnsent = group.progress.state === 'gathering';
  const known = isUnsent ? 'it was not sent' : 'whether it was stored is unknown';
  const fault = new QueueUnavailableError(`Redis did not take the event within ${timeoutMs} ms; ${known}.`);
  if (isUnsent) {
    lane.gathering.splice(lane.gathering.indexOf(group), 1);
    withoutRedis(line, group, { lane, fault });
  } else group.step({ kind: 'late', fault: line.journal === undefined ? fault : undefined });
}

/** Sends a waiting group to the journal alone; where there is no journal, its callers get the fault. */
function withoutRedis(line: Line, group: Group, { lane, fault }: { lane: Lane; fault: QueueUnavailableError }): void {
  if (line.journal !== undefined) return send(line, group, { lane, isForRedis: false });
  line.pendingBytes -= group.bytes;
  group.step({ kind: 'dropped', fault });
}

/** A group on its way, and what its places have answered. */
interface Sending {
  readonly group: Group;
  readonly lane: Lane;
  /** The events in few bytes, where that is worth it: the same bytes for each place. */
  readonly packed: PackedEvents | undefined;
  /** Places that have not answered. */
  awaited: number;
  /** The journal's, where the journal has the group. */
  entry: JournalEntry | undefined;
  isEnqueued: boolean;
}

/** Sends a group to each place. */
function send(line: Line, group: Group, { lane, isForRedis }: { lane: Lane; isForRedis: boolean }): void {
  const { journal, redis } = line;
  const goesToRedis = isForRedis && (journal === undefined || redis.fault() === undefined);
  const places = Number(goesToRedis) + Number(journal !== undefined);
  // While Redis is away, 64 MiB may go to the journal in one turn: to pack them would hold up everything.
  const packed = goesToRedis ? packEvents(group.events, group.bytes) : undefined;
  const sending: Sending = { group, lane, packed, awaited: places, entry: undefined, isEnqueued: false };
  group.step({ kind: 'sent', places });
  if (journal !== undefined) void writeToJournal(line, journal, sending);
  if (goesToRedis) void writeToRedis(line, sending);
}

/** Writes a group to Redis. When that has answered, the next group may leave. Never rejects. */
async function writeToRedis(line: Line, sending: Sending): Promise<void> {
  const { events, bytes } = sending.group;
  sending.lane.inFlight += 1;
  let step: GroupStep = { kind: 'taken' };
  try {
    await line.redis.add(events, bytes, sending.packed);
    sending.isEnqueued = true;
  } catch (error) {
    // Where there is a journal, callers get the journal's fault.
    step = { kind: 'refused', fault: line.journal === undefined ? faultOf(error) : undefined };
  }
  sending.lane.inFlight -= 1;
  placeAnswered(line, sending, step);
}

function faultOf(error: unknown): QueueUnavailableError {
  if (error instanceof QueueUnavailableError) return error;
  return new QueueUnavailableError('Redis did not take the event.', { cause: error });
}

/** Writes a group to the journal. Never rejects. */
async function writeToJournal(line: Line, journal: Pick<Journal, 'append'>, sending: Sending): Promise<void> {
  let step: GroupStep = { kind: 'taken' };
  try {
    sending.entry = await journal.append(sending.group.events, sending.packed);
  } catch (cause) {
    const fault = new QueueUnavailableError('Neither Redis nor the journal took the event.', { cause });
    step = { kind: 'refused', fault };
  }
  placeAnswered(line, sending, step);
}

/** Takes a place's answer. After the last one the journal knows whether Redis has the group, before any caller goes on. */
function placeAnswered(line: Line, sending: Sending, step: GroupStep): void {
  const { group, lane, entry } = sending;
  sending.awaited -= 1;
  if (sending.awaited === 0) {
    line.pendingBytes -= group.bytes;
    if (sending.isEnqueued) entry?.enqueued();
    else if (entry !== undefined) {
      entry.failed();
      line.onJournalAlone();
    }
  }
  group.step(step);
  schedule(line, lane);
}

function schedule(line: Line, lane: Lane): void {
  if (lane.isScheduled || !mayLeave(lane, isIdle(lane))) return;
  lane.isScheduled = true;
  setImmediate(flush, line, lane);
}

function flush(line: Line, lane: Lane): void {
  lane.isScheduled = false;
  const hasIdle = isIdle(lane);
  while (mayLeave(lane, hasIdle)) {
    const group = lane.gathering.shift();
    if (group !== undefined) send(line, group, { lane, isForRedis: true });
  }
}
