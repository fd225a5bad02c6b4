/**
 * Sends a load and tells what became of it. A process of its own, so that what it costs is its own account; nothing is made on
 * the way of a request but what must be: the bytes lie ready, and each connection is one object.
 */
import { connect, type Socket } from 'node:net';
import { idempotencyKey } from '@landline/webhook';
import type { Command, Load, LoadResult, Reply } from './load.ts';
import { requestBytes, signedEvents } from './signed-events.ts';

/** How long answers may take that are still missing at the end. */
const LAST_ANSWERS_MS = 10_000;

const [PENDING, ACCEPTED, REFUSED] = [0, 1, 2];

class Sender {
  readonly #requests: Buffer[] = [];
  readonly #bodies: Buffer[] = [];
  readonly #load: Load;
  readonly #answers: Uint8Array;
  readonly #answeredAt: Float64Array;
  readonly #latencies: Float64Array;
  readonly #idle: Connection[] = [];
  #next = 0;
  #answered = 0;
  #startedAt = 0;
  #lastAnswerAt = 0;
  #behindMs = 0;
  #stopping = false;
  #done: () => void = () => {};

  constructor(load: Load) {
    for (const event of signedEvents(load.kind, load.count, load.run)) {
      this.#requests.push(requestBytes(event));
      this.#bodies.push(event.body);
    }
    this.#load = load;
    this.#answers = new Uint8Array(load.count);
    this.#answeredAt = new Float64Array(load.count);
    this.#latencies = new Float64Array(load.count);
  }

  async run(): Promise<LoadResult> {
    const { connections, ports, seconds, ratePerSecond } = this.#load;
    const opened = await Promise.all(
      Array.from({ length: connections }, (_, i) => Connection.open(ports[i % ports.length] ?? 0, this)),
    );
    const cpuBefore = process.cpuUsage();
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    this.#startedAt = performance.now();
    setTimeout(() => this.#stop(), seconds * 1000);
    if (ratePerSecond === undefined) for (const connection of opened) this.#sendOn(connection, performance.now());
    else {
      this.#idle.push(...opened);
      this.#sendDue(ratePerSecond);
    }
    await done;
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const connection of opened) connection.close();
    return this.#result((user + system) / 1e6);
  }

  /** One answer is complete; its connection is free. */
  answered(connection: Connection, index: number, isAccepted: boolean): void {
    const now = performance.now();
    this.#answers[index] = isAccepted ? ACCEPTED : REFUSED;
    this.#answeredAt[index] = now;
    this.#latencies[index] = now - connection.dueAt;
    this.#lastAnswerAt = now;
    this.#answered++;
    if (this.#load.ratePerSecond === undefined) this.#sendOn(connection, now);
    else this.#idle.push(connection);
    if (this.#stopping && this.#answered === this.#next) this.#done();
  }

  #sendOn(connection: Connection, dueAt: number): void {
    const request = this.#requests[this.#next];
    if (this.#stopping || request === undefined) return this.#stop();
    connection.send(request, this.#next++, dueAt);
  }

  /** Sends what is due on connections that are free; what finds none waits, and its clock runs. */
  #sendDue(rate: number): void {
    if (this.#stopping) return;
    const now = performance.now();
    for (;;) {
      const dueAt = this.#startedAt + (this.#next * 1000) / rate;
      if (dueAt > now || this.#next >= this.#requests.length) break;
      const connection = this.#idle.pop();
      this.#behindMs = now - dueAt;
      if (connection === undefined) break;
      this.#sendOn(connection, dueAt);
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

/** One kept-alive connection, with at most one request under way. */
class Connection {
  /** When the request under way should have left. */
  dueAt = 0;
  readonly #socket: Socket;
  readonly #sender: Sender;
  #index = -1;
  /** What came of an answer that is not complete yet. */
  #partial: Buffer | undefined;

  static open(port: number, sender: Sender): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket, sender)));
    });
  }

  constructor(socket: Socket, sender: Sender) {
    this.#socket = socket;
    this.#sender = sender;
    // A connection that is lost keeps its request unanswered: it is counted as unknown.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  send(request: Buffer, index: number, dueAt: number): void {
    this.#index = index;
    this.dueAt = dueAt;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const answer = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk]);
    const headEnd = answer.indexOf('\r\n\r\n');
    const head = headEnd < 0 ? '' : answer.toString('latin1', 0, headEnd);
    const length = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
    if (headEnd < 0 || answer.length < headEnd + 4 + length) {
      this.#partial = answer;
      return;
    }
    this.#partial = undefined;
    this.#sender.answered(this, this.#index, head.startsWith('HTTP/1.1 200 '));
  }
}

const CONTENT_LENGTH = /^content-length: (\d+)/im;

let sender: Sender | undefined;

process.on('message', (command: Command) => {
  if (command === 'leave') process.exit(0);
  else if (command !== 'run') {
    sender = new Sender(command.prepare);
    tell('prepared');
  } else void sender?.run().then((result) => tell({ result }));
});
process.once('disconnect', () => process.exit(0));

function tell(reply: Reply): void {
  process.send?.(reply);
}
