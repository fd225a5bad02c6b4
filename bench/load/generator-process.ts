/**
 * Sends a load and reports the outcome. It is a process of its own, so that its CPU time is measured apart. The bytes of all requests lie
 * ready, and the process makes as little as possible while it sends.
 */
import { idempotencyKey } from '@landline/webhook';
import { openKeptAlive, type KeptAlive } from '../../test/support/kept-alive.ts';
import { deliveryBytes } from '../../test/support/raw-connection.ts';
import type { Command, Load, LoadResult, Reply } from './load.ts';
import { signedEvents } from './signed-events.ts';

/** How long the generator waits at the end for answers that are missing, in milliseconds. */
const LAST_ANSWERS_MS = 10_000;

const [PENDING, ACCEPTED, REFUSED] = [0, 1, 2];

/** A connection, with the request under way and the time when the request was due. The request of a lost connection counts as unknown. */
interface Lane {
  connection: KeptAlive;
  index: number;
  dueAt: number;
}

class Sender {
  readonly #requests: Buffer[] = [];
  readonly #bodies: Buffer[] = [];
  readonly #load: Load;
  readonly #answers: Uint8Array;
  readonly #answeredAt: Float64Array;
  readonly #latencies: Float64Array;
  readonly #idle: Lane[] = [];
  #next = 0;
  #answered = 0;
  #startedAt = 0;
  #lastAnswerAt = 0;
  #behindMs = 0;
  #stopping = false;
  #done: () => void = () => {};

  constructor(load: Load) {
    for (const { body, signature } of signedEvents(load.kind, load.count, load.run)) {
      this.#requests.push(deliveryBytes(body, signature));
      this.#bodies.push(body);
    }
    this.#load = load;
    this.#answers = new Uint8Array(load.count);
    this.#answeredAt = new Float64Array(load.count);
    this.#latencies = new Float64Array(load.count);
  }

  async run(): Promise<LoadResult> {
    const { connections, ports, seconds, ratePerSecond } = this.#load;
    const lanes = Array.from({ length: connections }, (_, i) => this.#open(ports[i % ports.length] ?? 0));
    await Promise.all(lanes.map(({ connection }) => connection.opened));
    const cpuBefore = process.cpuUsage();
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    this.#startedAt = performance.now();
    setTimeout(() => this.#stop(), seconds * 1000);
    if (ratePerSecond === undefined) for (const lane of lanes) this.#sendOn(lane, performance.now());
    else {
      this.#idle.push(...lanes);
      this.#sendDue(ratePerSecond);
    }
    await done;
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const { connection } of lanes) connection.cut();
    return this.#result((user + system) / 1e6);
  }

  #open(port: number): Lane {
    const connection = openKeptAlive({ port, onAnswer: (status) => this.#take(lane, status) });
    const lane: Lane = { connection, index: -1, dueAt: 0 };
    return lane;
  }

  /** Counts a complete answer, and frees its connection. */
  #take(lane: Lane, status: number): void {
    const now = performance.now();
    this.#answers[lane.index] = status === 200 ? ACCEPTED : REFUSED;
    this.#answeredAt[lane.index] = now;
    this.#latencies[lane.index] = now - lane.dueAt;
    this.#lastAnswerAt = now;
    this.#answered++;
    if (this.#load.ratePerSecond === undefined) this.#sendOn(lane, now);
    else this.#idle.push(lane);
    if (this.#stopping && this.#answered === this.#next) this.#done();
  }

  #sendOn(lane: Lane, dueAt: number): void {
    const request = this.#requests[this.#next];
    if (this.#stopping || request === undefined) return this.#stop();
    lane.index = this.#next++;
    lane.dueAt = dueAt;
    lane.connection.send(request);
  }

  /** Sends the requests that are due on free connections. A request without a free connection waits, and its clock runs. */
  #sendDue(rate: number): void {
    if (this.#stopping) return;
    const now = performance.now();
    for (;;) {
      if (this.#next >= this.#requests.length) return this.#stop();
      const dueAt = this.#startedAt + (this.#next * 1000) / rate;
      if (dueAt > now) break;
      // The one that has been idle for longest: a receiver closes a connection that sends nothing for ten seconds.
      const lane = this.#idle.shift();
      this.#behindMs = now - dueAt;
      if (lane === undefined) break;
      this.#sendOn(lane, dueAt);
    }
    setTimeout(() => this.#sendDue(rate), 1);
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#answered === this.#next) this.#done();
    setTimeout(this.#done, LAST_ANSWERS_MS).unref();
  }

  #result(cpuSeconds: number): LoadResult {
    const { count, seconds, ratePerSecond } = this.#load;
    const ids: string[] = [];
    const times: number[] = [];
    const refused: string[] = [];
    const latencies: number[] = [];
    for (let i = 0; i < this.#next; i++) {
      const id = idempotencyKey(this.#bodies[i] ?? '');
      if (this.#answers[i] === PENDING) continue;
      latencies.push(this.#latencies[i] ?? 0);
      if (this.#answers[i] === REFUSED) refused.push(id);
      else {
        ids.push(id);
        times.push(performance.timeOrigin + (this.#answeredAt[i] ?? 0));
      }
    }
    const sorted = Float64Array.from(latencies).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      startedAt: performance.timeOrigin + this.#startedAt,
      seconds: (this.#lastAnswerAt - this.#startedAt) / 1000,
      accepted: { ids, at: Float64Array.from(times) },
      refused,
      unknown: this.#next - latencies.length,
      behindMs: this.#behindMs,
      unsent: ratePerSecond === undefined ? 0 : Math.min(count, Math.floor(seconds * ratePerSecond)) - this.#next,
      latencyMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999) },
      cpuSeconds,
    };
  }
}

let sender: Sender | undefined;

process.on('message', (command: Command) => {
  if (command === 'leave') process.exit(0);
  else if (command !== 'run') {
    sender = new Sender(command.prepare);
    send('prepared');
  } else void sender?.run().then((result) => send({ result }));
});
process.once('disconnect', () => process.exit(0));

function send(reply: Reply): void {
  process.send?.(reply);
}
