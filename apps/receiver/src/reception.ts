import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Arriving, Connection, Connections } from './connections.ts';
import { addPiece, dropPieces, joinPieces, noPieces, type Pieces } from './pieces.ts';

/** How many bytes of bodies may be under way at once. Past it a sender is told to come again, before the machine runs out. */
export const MAX_RECEIVING_BYTES = 268_435_456;

/** Bodies up to this size, in bytes, have a share of that to themselves. All events but audio are smaller. */
const SMALL_BYTES = 1_048_576;

/** The share: an eighth. */
const SMALL_SHARE = 1 / 8;

/** So many bytes, at least, are progress: a sender cannot keep its place by a byte now and then. */
const PROGRESS_BYTES = 65_536;

/** A large body gives way to another large one when it has made no progress for so long, in ms. */
const STALLED_MS = 1000;

/** A body that does not come in, with the status of the answer. */
export class ReceptionError extends Error {
  readonly code: 'reception_full' | 'body_slow' | 'body_too_large' | 'body_broken';
  readonly statusCode: number;

  constructor(code: ReceptionError['code'], message: string) {
    super(message);
    this.name = 'ReceptionError';
    this.code = code;
    this.statusCode = { reception_full: 503, body_slow: 408, body_too_large: 413, body_broken: 400 }[code];
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it comes in; null where none is read. */
    arrival: Arrival | null;
  }
}

/** A body from its first byte to its answer. */
export interface Arrival extends Arriving {
  readonly connection: Connection;
  readonly pieces: Pieces;
  /** How many bytes are to come; Infinity where nobody has said. */
  announcedBytes: number;
  /** Bytes since it last made progress. */
  stepBytes: number;
  /** Arrived in full, failed or given up: nothing more of it is taken. */
  isOver: boolean;
  isWhole: boolean;
  isReleased: boolean;
  readonly release: () => void;
  readonly done: Done;
}

type Done = (error: Error | null, body?: Buffer) => void;

/** What bounds the reception of bodies. */
export interface ReceptionOptions {
  connections: Connections;
  /** How many bytes of bodies may be under way at once. */
  maxBytes?: number | undefined;
  bodyLimitBytes: number;
}

/** Reads bodies, and counts what they hold together. */
export interface Reception {
  /** Reads a request's body; `done` gets it, or a ReceptionError. */
  read(request: FastifyRequest, payload: IncomingMessage, done: Done): void;
  /** Gives back what the request's body holds, for the request has its answer. */
  answered(request: FastifyRequest, answer: { isAccepted: boolean }): void;
  /** Bytes of all bodies that are under way: of those that arrive and of those that wait for their answer. */
  bytes(): number;
}

interface Budget {
  readonly connections: Connections;
  readonly maxBytes: number;
  /** What large bodies may take of it. */
  readonly maxLargeBytes: number;
  readonly bodyLimitBytes: number;
  receiving: number;
  receivingLarge: number;
}

/**
 * Bounds the memory that bodies take together. Bytes count as they arrive and are given back once: with the answer, or when the
 * connection closes. A share is kept for small bodies. Where there is no room, a small body takes that of the one which has made no
 * progress for the longest; a large body takes that of another large one which has stalled.
 */
export function createReception(options: ReceptionOptions): Reception {
  const { connections, maxBytes = MAX_RECEIVING_BYTES, bodyLimitBytes } = options;
  const maxLargeBytes = Math.ceil(maxBytes * (1 - SMALL_SHARE));
  const budget: Budget = { connections, maxBytes, maxLargeBytes, bodyLimitBytes, receiving: 0, receivingLarge: 0 };
  return {
    read(request, payload, done) {
      const connection = connections.of(request.raw.socket);
      // Of a connection that was cut with requests still to be read: nobody waits for the answer.
      if (connection.isClosed) return;
      const arrival = begin(budget, connection, done);
      const announced = request.headers['content-length'];
      if (announced !== undefined) arrival.announcedBytes = Number(announced);
      arrival.isLarge = Number(announced) > SMALL_BYTES;
      request.arrival = arrival;
      payload.on('data', (chunk: Buffer) => take(budget, arrival, chunk));
      payload.on('end', () => finish(budget, arrival));
      payload.on('error', () => fail(arrival, new ReceptionError('body_broken', 'The body ended too early.')));
    },
    answered(request, { isAccepted }) {
      const { arrival } = request;
      if (arrival === null) return;
      arrival.release();
      if (isAccepted) connections.proven(arrival.connection);
      // The answer may wait for its sender to read others; the body need not.
      request.body = undefined;
    },
    bytes: () => budget.receiving,
  };
}

function begin(budget: Budget, connection: Connection, done: Done): Arrival {
  const arrival: Arrival = {
    connection,
    pieces: noPieces(),
    announcedBytes: Infinity,
    stepBytes: 0,
    isPartial: false,
    progressAt: performance.now(),
    isLarge: false,
    isOver: false,
    isWhole: false,
    isReleased: false,
    giveUp: () => fail(arrival, new ReceptionError('body_slow', 'The body arrived too slowly.')),
    release: () => release(budget, arrival),
    done,
  };
  connection.arriving = arrival;
  connection.onClose.add(arrival.release);
  return arrival;
}

function take(budget: Budget, arrival: Arrival, chunk: Buffer): void {
  if (arrival.isOver || arrival.isReleased) return;
  count(budget, arrival, chunk);
  const { bodyLimitBytes, maxBytes } = budget;
  if (arrival.pieces.bytes > bodyLimitBytes) {
    return fail(arrival, new ReceptionError('body_too_large', `The body is larger than ${bodyLimitBytes} bytes.`));
  }
  if (!arrival.isPartial && arrival.pieces.bytes < arrival.announcedBytes) {
    arrival.isPartial = true;
    budget.connections.update(arrival.connection);
  }
  if (arrival.stepBytes >= PROGRESS_BYTES) {
    arrival.stepBytes = 0;
    budget.connections.progressed(arrival.connection);
  }
  if (!fits(budget, arrival) && !makeRoomFor(budget, arrival)) {
    fail(arrival, new ReceptionError('reception_full', `Bodies of ${maxBytes / 1024 ** 2} MiB are under way.`));
  }
}

function count(budget: Budget, arrival: Arrival, chunk: Buffer): void {
  const { pieces } = arrival;
  addPiece(pieces, chunk);
  arrival.stepBytes += chunk.length;
  budget.receiving += chunk.length;
  if (arrival.isLarge) budget.receivingLarge += chunk.length;
  else if (pieces.bytes > SMALL_BYTES) {
    arrival.isLarge = true;
    budget.receivingLarge += pieces.bytes;
  }
}

function fits({ receiving, receivingLarge, maxBytes, maxLargeBytes }: Budget, { isLarge }: Arrival): boolean {
  return receiving <= maxBytes && !(isLarge && receivingLarge > maxLargeBytes);
}

function makeRoomFor(budget: Budget, arrival: Arrival): boolean {
  const now = performance.now();
  for (const { arriving } of budget.connections.receiving()) {
    if (arriving === undefined) continue;
    if (arriving === arrival || (arrival.isLarge && now - arriving.progressAt < STALLED_MS)) return false;
    if (arrival.isLarge && !arriving.isLarge) continue;
    arriving.giveUp();
    if (fits(budget, arrival)) return true;
  }
  return false;
}

function finish({ connections }: Budget, arrival: Arrival): void {
  if (arrival.isOver) return;
  arrival.isOver = true;
  arrival.isWhole = !arrival.isReleased;
  const { connection } = arrival;
  connection.arriving = undefined;
  if (arrival.isWhole) connection.answering++;
  if (arrival.isPartial) connections.update(connection);
  arrival.done(null, joinPieces(arrival.pieces));
}

function fail(arrival: Arrival, error: ReceptionError): void {
  if (arrival.isOver) return;
  arrival.isOver = true;
  arrival.release();
  arrival.done(error);
}

function release(budget: Budget, arrival: Arrival): void {
  if (arrival.isReleased) return;
  arrival.isReleased = true;
  const { connection, pieces } = arrival;
  budget.receiving -= pieces.bytes;
  if (arrival.isLarge) budget.receivingLarge -= pieces.bytes;
  dropPieces(pieces);
  if (arrival.isWhole) connection.answering--;
  connection.onClose.delete(arrival.release);
  if (connection.arriving !== arrival) return;
  connection.arriving = undefined;
  if (arrival.isPartial) budget.connections.update(connection);
}
