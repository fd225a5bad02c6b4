import type { IncomingMessage } from 'node:http';
import type { BodyWriter, MakeRoom } from '@landline/recordings';
import type { SignatureRead } from '@landline/webhook/verify';
import type { FastifyRequest } from 'fastify';
import { largeBodyLimit } from './connection-limit.ts';
import { newArrival, type Arrival, type Connection, type Done } from './connection.ts';
import type { Connections } from './connections.ts';
import { beginLargeBody, type LargeBody } from './large-body.ts';
import { checkIntervalMs, giveUpLate, type PaceLimits } from './late-bodies.ts';
import { addPiece, allPieces, dropPieces, takePieces } from './pieces.ts';
import { createBudget, makePlace, makeRoom, makeSpoolRoom, SMALL_BYTES, type Budget } from './reception-budget.ts';
import { ReceptionError, spoolFault } from './reception-error.ts';
import { createSlices, type Slices } from './slices.ts';

/** How many bytes of bodies may be in memory at once. Past it a sender is told to come again, before the machine runs out. */
export const MAX_RECEIVING_BYTES = 268_435_456;

/** So many bytes, at least, are progress: a sender cannot keep its place by a byte now and then. */
const PROGRESS_BYTES = 65_536;

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it comes in; null where none is read. */
    arrival: Arrival | null;
  }
}

/** What bounds the reception of bodies. */
export interface ReceptionOptions extends PaceLimits {
  connections: Connections;
  /** How many connections may be open: large bodies may have half of them. */
  maxConnections: number;
  /** How many bytes of bodies may be in memory at once. */
  maxBytes?: number | undefined;
  bodyLimitBytes: number;
  /** Accepted keys, newest first: a large body is verified as it arrives. */
  secrets: readonly string[];
  /** Begins a body in the spool. `makeRoom` is called where a piece of it has no room. @throws SpoolError */
  beginInSpool: (makeRoom: MakeRoom) => BodyWriter;
}

/** Reads bodies, and counts what they hold together. */
export interface Reception {
  /** Reads a request's body; `done` gets it, or a ReceptionError. */
  read(request: FastifyRequest, payload: IncomingMessage, done: Done): void;
  /** Gives back what the request's body holds, for the request has its answer. */
  answered(request: FastifyRequest, answer: { isAccepted: boolean }): void;
  /** Bytes of all bodies in memory: of those that arrive and of those that wait for their answer. */
  bytes(): number;
  /** Ends the regular check. */
  close(): void;
}

interface Parts extends ReceptionOptions {
  readonly budget: Budget;
  readonly slices: Slices;
}

/**
 * Bounds the memory that bodies take together. Bytes count as they arrive and are given back once: with the answer, or when the
 * connection closes. A body above `SMALL_BYTES` goes into the spool as it arrives, so that it holds next to no memory. Where there is no room, a
 * body takes that of the one which has made no progress for the longest; in the spool, that of the one which arrives most slowly.
 */
export function createReception(options: ReceptionOptions): Reception {
  const { connections, maxConnections, maxBytes = MAX_RECEIVING_BYTES } = options;
  const giveUp = (arrival: Arrival) =>
    fail(parts, arrival, new ReceptionError('body_slow', 'The body arrived too slowly.'));
  // It has kept to the limits, and has to make room all the same: the sender may come again.
  const displace = (arrival: Arrival) =>
    fail(parts, arrival, new ReceptionError('reception_full', 'Bodies that arrive faster need the room in the spool.'));
  const maxLarge = largeBodyLimit(maxConnections);
  const budget = createBudget({ connections, maxBytes, maxLarge, giveUp, displace });
  const parts: Parts = { ...options, budget, slices: createSlices() };
  const checking = setInterval(() => giveUpLate(connections, options, giveUp), checkIntervalMs(options)).unref();
  connections.onClose(({ held }) => held.forEach((arrival) => release(parts, arrival)));
  return {
    read: (request, payload, done) => read(parts, { request, payload, done }),
    answered(request, { isAccepted }) {
      const { arrival } = request;
      if (arrival === null) return;
      release(parts, arrival);
      if (isAccepted) connections.proven(arrival.connection);
      // The answer may wait for its sender to read others; the body need not.
      request.body = undefined;
    },
    bytes: () => budget.held,
    close: () => clearInterval(checking),
  };
}

interface Reading {
  request: FastifyRequest;
  payload: IncomingMessage;
  done: Done;
}

function read(parts: Parts, { request, payload, done }: Reading): void {
  const connection = parts.connections.of(request.raw.socket);
  // Of a connection that was cut with requests still to be read: nobody waits for the answer.
  if (connection.isClosed) return;
  const { signature } = request;
  if (signature === null) throw new Error('A body was read before its header.');
  const arrival = begin(connection, payload, done);
  const announced = request.headers['content-length'];
  if (announced !== undefined) arrival.announcedBytes = Number(announced);
  request.arrival = arrival;
  payload.on('data', (chunk: Buffer) => take(parts, arrival, { chunk, signature }));
  payload.on('end', () => finish(parts, arrival));
  payload.on('error', () => fail(parts, arrival, new ReceptionError('body_broken', 'The body ended too early.')));
}

function begin(connection: Connection, payload: IncomingMessage, done: Done): Arrival {
  const arrival = newArrival(connection, payload, done);
  connection.arriving = arrival;
  connection.held.add(arrival);
  return arrival;
}

function take(parts: Parts, arrival: Arrival, { chunk, signature }: { chunk: Buffer; signature: SignatureRead }): void {
  if (arrival.isOver || arrival.isReleased) return;
  arrival.bytes += chunk.length;
  const { bodyLimitBytes, budget } = parts;
  if (arrival.bytes > bodyLimitBytes) {
    const message = `The body is larger than ${bodyLimitBytes} bytes.`;
    return fail(parts, arrival, new ReceptionError('body_too_large', message));
  }
  noteProgress(parts, arrival, chunk.length);
  if (arrival.large !== undefined) return pass(arrival, chunk);
  hold(budget, arrival, chunk);
  const isLarge =
    arrival.bytes > SMALL_BYTES || (arrival.announcedBytes > SMALL_BYTES && arrival.announcedBytes !== Infinity);
  if (isLarge) return moveToSpool(parts, arrival, signature);
  if (!makeRoom(budget, arrival)) {
    const message = `Bodies of ${budget.maxBytes / 1024 ** 2} MiB are under way.`;
    fail(parts, arrival, new ReceptionError('reception_full', message));
  }
}

function noteProgress({ connections }: Parts, arrival: Arrival, bytes: number): void {
  arrival.stepBytes += bytes;
  if (!arrival.isPartial && arrival.bytes < arrival.announcedBytes) {
    arrival.isPartial = true;
    arrival.startedAt = performance.now();
    arrival.progressAt = arrival.startedAt;
    connections.update(arrival.connection);
  }
  if (arrival.stepBytes < PROGRESS_BYTES) return;
  arrival.stepBytes = 0;
  connections.progressed(arrival.connection);
}

function hold(budget: Budget, arrival: Arrival, chunk: Buffer): void {
  addPiece(arrival.pieces, chunk);
  arrival.heldBytes += chunk.length;
  budget.held += chunk.length;
}

/** Hands a piece to the spool, and takes no more of the body while enough of it waits: memory stays flat however fast the sender is. */
function pass({ payload, large }: Arrival, chunk: Buffer): void {
  if (large?.add(chunk) === true) payload.pause();
}

function moveToSpool(parts: Parts, arrival: Arrival, signature: SignatureRead): void {
  const { budget, secrets, slices } = parts;
  const onError = (cause: unknown) => fail(parts, arrival, spoolFault(cause));
  try {
    if (!makePlace(budget)) throw new ReceptionError('reception_full', `${budget.large} large bodies are under way.`);
    const writer = parts.beginInSpool((hasRoom) => makeSpoolRoom(budget, arrival, hasRoom));
    const onWritten = () => {
      giveBackHeld(budget, arrival);
      arrival.payload.resume();
    };
    arrival.large = beginLargeBody({ writer, signature, secrets, slices, onWritten, onError });
  } catch (error) {
    return onError(error);
  }
  budget.large += 1;
  // They count until the disk has them: with a disk that hangs they stay in memory.
  for (const piece of takePieces(arrival.pieces)) pass(arrival, piece);
}

function giveBackHeld(budget: Budget, arrival: Arrival): void {
  budget.held -= arrival.heldBytes;
  arrival.heldBytes = 0;
}

/** Hands the body on. Most are small, and have no promise: one for each request would be a turn of the microtask queue. */
function finish(parts: Parts, arrival: Arrival): void {
  if (arrival.isOver) return;
  const { connection, large } = arrival;
  // At once: the next request on the connection may begin before the disk has the rest of this one.
  arrival.isWhole = !arrival.isReleased;
  if (arrival.isWhole) connection.answering++;
  leave(parts.connections, arrival);
  if (large !== undefined) return void finishLarge(parts, arrival, large);
  arrival.isOver = true;
  arrival.done(null, allPieces(arrival.pieces));
}

async function finishLarge(parts: Parts, arrival: Arrival, large: LargeBody): Promise<void> {
  try {
    await large.written();
  } catch {
    // The disk refused it, and the request has its answer; or the sender hung up first.
  }
  if (arrival.isReleased) return fail(parts, arrival, new ReceptionError('body_broken', 'The sender hung up.'));
  arrival.isOver = true;
  arrival.done(null, large);
}

function leave(connections: Connections, arrival: Arrival): void {
  const { connection } = arrival;
  if (connection.arriving !== arrival) return;
  connection.arriving = undefined;
  if (arrival.isPartial) connections.update(connection);
}

function fail(parts: Parts, arrival: Arrival, error: Error): void {
  if (arrival.isOver) return;
  arrival.isOver = true;
  release(parts, arrival);
  arrival.payload.resume();
  arrival.done(error);
}

function release({ budget, connections }: Parts, arrival: Arrival): void {
  if (arrival.isReleased) return;
  arrival.isReleased = true;
  const { connection, large } = arrival;
  giveBackHeld(budget, arrival);
  dropPieces(arrival.pieces);
  if (large !== undefined) {
    budget.large -= 1;
    large.discard();
  }
  if (arrival.isWhole) connection.answering--;
  connection.held.delete(arrival);
  leave(connections, arrival);
}
