import { setTimeout as wait } from 'node:timers/promises';
import { sign } from '@landline/webhook';
import { SECRET, unixSeconds } from '../support/post.ts';
import { openKeptAlive, type KeptAlive } from '../support/kept-alive.ts';
import { deliveryBytes } from '../support/raw-connection.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { idOf, type EventLoad, type Delivery } from './event-load.ts';
import type { Answer, SentEvents } from './sent-events.ts';

/** One receiver, as the sender's balancer sees it. */
export interface Target {
  port: number;
  isServing: () => boolean;
}

export interface SenderOptions {
  targets: readonly Target[];
  deliveriesPerSecond: number;
  load: EventLoad;
  sent: SentEvents;
  random: SeededRandom;
}

/** Sends events over kept-alive connections to all receivers in turn, and notes what becomes of each. */
export interface Sender {
  start: () => void;
  /** Sends no more; resolves when all that was sent is answered or given up. */
  stop: () => Promise<void>;
  /** Whether it has been started, and not stopped. */
  isSending: () => boolean;
  /** Sends one event so many times on top of the load; resolves when all of it has left. */
  repeat: (body: Buffer, times: number) => Promise<void>;
  /** Sends one delivery on top of the load. */
  send: (delivery: Delivery) => void;
  /** Signs with a clock that is so many seconds off, the share of requests that is named. */
  misdate: (options: { seconds: number; share: number } | undefined) => void;
  /**
   * Measures the requests that are due within the next `ms`. They go to every receiver, whatever its balancer thinks of it.
   * Resolves when each is answered or given up; of those that no connection could take by then nothing is known but that
   * they were due.
   */
  measure: (ms: number) => Promise<Measure>;
}

/** What became of the requests that were due within a time. */
export interface Measure {
  /** Those included for which there was no room. */
  due: number;
  accepted: number;
  refused: number;
  unknown: number;
  /** From when a request was due until its answer, in ms. */
  latencies: number[];
}

const CONNECTIONS_PER_TARGET = 100;
const TICK_MS = 10;
const MOST_AT_ONCE = 120;
/** How many leave at once, by chance: so groups of all sizes come about. */
const BURSTS = [1, 1, 1, 1, 2, 3, 5, 8, 20, 50, MOST_AT_ONCE];
/** With so many waiting for a connection no more are made: they are due, and dropped. */
const MOST_WAITING = 20_000;
/** A sender waits for no answer longer than this, in ms. */
const PATIENCE_MS = 6_000;
/** A large body takes its time. In ms. */
const LARGE_PATIENCE_MS = 60_000;
const LARGE_BYTES = 1024 * 1024;
/** After the end of a measurement, so long its last requests may take: what is given up is given up by then, in ms. */
const LAST_ANSWERS_MS = 8_000;
/** A receiver that took no connection is left alone so long, in ms. */
const REST_MS = 200;

interface Lane {
  target: Target;
  idle: Line[];
  lines: Set<Line>;
  restsUntil: number;
}

/** One connection, with at most one request under way. */
interface Line {
  lane: Lane;
  connection: KeptAlive;
  isOpen: boolean;
  request: Request | undefined;
  sentAt: number;
}

interface Request extends Delivery {
  dueAt: number;
  measure: Measure | undefined;
}

/** Makes a sender; nothing leaves before `start`. */
export function createSender({ targets, deliveriesPerSecond, load, sent, random }: SenderOptions): Sender {
  const lanes: Lane[] = targets.map((target) => ({ target, idle: [], lines: new Set(), restsUntil: 0 }));
  const waiting: Request[] = [];
  let turn = 0;
  let credit = 0;
  let burst = 1;
  let lastTick = 0;
  let ticking: NodeJS.Timeout | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let misdated: { seconds: number; share: number } | undefined;
  let measured: Measure | undefined;
  let isBalanced = true;

  function tick(): void {
    const now = performance.now();
    credit += ((now - lastTick) * deliveriesPerSecond) / 1000;
    lastTick = now;
    while (credit >= burst) {
      credit -= burst;
      const made = Math.min(burst, MOST_WAITING - waiting.length);
      for (let i = 0; i < made; i++) waiting.push({ ...load.next(), dueAt: now, measure: measured });
      if (measured !== undefined) measured.due += burst;
      burst = BURSTS[random.below(BURSTS.length)] ?? 1;
    }
    flush();
  }

  function flush(): void {
    while (waiting.length > 0) {
      const line = freeLine();
      if (line === undefined) return;
      const request = waiting.shift();
      if (request !== undefined) send(line, request);
    }
  }

  /** A connection that is free, or a new one, of the receivers in turn. */
  function freeLine(): Line | undefined {
    turn++;
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[(turn + i) % lanes.length];
      if (lane === undefined || performance.now() < lane.restsUntil) continue;
      if (isBalanced && !lane.target.isServing()) continue;
      const line = lane.idle.pop() ?? (lane.lines.size < CONNECTIONS_PER_TARGET ? open(lane) : undefined);
      if (line !== undefined) return line;
    }
    return undefined;
  }

  function open(lane: Lane): Line {
    const connection = openKeptAlive({
      port: lane.target.port,
      onAnswer: (status, head) => take(line, status, head),
      onGone: (status) => drop(line, status),
    });
    const line: Line = { lane, connection, isOpen: true, request: undefined, sentAt: 0 };
    lane.lines.add(line);
    return line;
  }

  function drop(line: Line, status: number | undefined): void {
    const { lane, request } = line;
    line.isOpen = false;
    lane.lines.delete(line);
    lane.idle = lane.idle.filter((other) => other !== line);
    if (request === undefined) return;
    line.request = undefined;
    lane.restsUntil = performance.now() + REST_MS;
    note(request, answerOf(status));
  }

  function send(line: Line, request: Request): void {
    line.request = request;
    line.sentAt = performance.now();
    const isMisdated = misdated !== undefined && random.next() < misdated.share;
    const signature = sign(request.body, SECRET, unixSeconds() + (isMisdated ? (misdated?.seconds ?? 0) : 0));
    line.connection.send(deliveryBytes(request.body, signature));
  }

  function note(request: Request, answer: Answer): void {
    sent.note(request.event, answer);
    if (request.measure === undefined) return;
    request.measure[answer] += 1;
    if (answer !== 'unknown') request.measure.latencies.push(performance.now() - request.dueAt);
  }

  function take(line: Line, status: number, head: string): void {
    const { request } = line;
    if (request === undefined) return;
    line.request = undefined;
    note(request, answerOf(status));
    if (CLOSING.test(head)) line.connection.cut();
    else if (line.isOpen) line.lane.idle.push(line);
    flush();
  }

  function sweep(): void {
    const now = performance.now();
    for (const { lines } of lanes) {
      for (const line of lines)
        if (line.request !== undefined && line.sentAt < now - patience(line.request)) line.connection.cut();
    }
  }

  const underWay = () => lanes.some(({ lines }) => [...lines].some(({ request }) => request !== undefined));

  return {
    start() {
      lastTick = performance.now();
      ticking = setInterval(tick, TICK_MS);
      sweeping = setInterval(sweep, 1000);
    },
    async stop() {
      clearInterval(ticking);
      ticking = undefined;
      waiting.length = 0;
      await until(() => !underWay());
      clearInterval(sweeping);
      for (const { lines } of lanes) for (const { connection } of lines) connection.cut();
    },
    isSending: () => ticking !== undefined,
    async repeat(body, times) {
      const event = sent.add(idOf(body), false);
      const dueAt = performance.now();
      const last: Request = { event, body, dueAt, measure: undefined };
      waiting.push(...Array.from({ length: times - 1 }, () => ({ ...last })), last);
      await until(() => !waiting.includes(last));
    },
    send: (delivery) => void waiting.unshift({ ...delivery, dueAt: performance.now(), measure: undefined }),
    misdate: (options) => void (misdated = options),
    async measure(ms) {
      const measure: Measure = { due: 0, accepted: 0, refused: 0, unknown: 0, latencies: [] };
      [measured, isBalanced] = [measure, false];
      await wait(ms);
      measured = undefined;
      const deadline = performance.now() + LAST_ANSWERS_MS;
      const told = () => measure.accepted + measure.refused + measure.unknown;
      await until(() => told() === measure.due || performance.now() > deadline);
      isBalanced = true;
      return { ...measure, latencies: [...measure.latencies] };
    },
  };
}

const patience = ({ body }: Request): number => (body.length > LARGE_BYTES ? LARGE_PATIENCE_MS : PATIENCE_MS);

/** What an answer says, as soon as its first line is there; nobody knows whether a request without one arrived. */
function answerOf(status: number | undefined): Answer {
  return status === undefined ? 'unknown' : status === 200 ? 'accepted' : 'refused';
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!condition()) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

const CLOSING = /^connection: close/im;
