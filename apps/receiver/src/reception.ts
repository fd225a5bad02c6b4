import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Arrival, Connection, Done } from './connection.ts';
import type { Connections } from './connections.ts';
import { dropPieces, joinPieces, noPieces } from './pieces.ts';
import { count, createBudget, fits, makeRoomFor, SMALL_BYTES, type Budget } from './reception-budget.ts';
import { ReceptionError } from './reception-error.ts';

/** How many bytes of bodies may be under way at once. Past it a sender is told to come again, before the machine runs out. */
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

/**
 * Bounds the memory that bodies take together. Bytes count as they arrive and are given back once: with the answer, or when the
 * connection closes. A share is kept for small bodies. Where there is no room, a small body takes that of the one which has made no
 * progress for the longest; a large body takes that of another large one which has stalled.
 */
export function createReception(options: ReceptionOptions): Reception {
  const { connections, maxBytes = MAX_RECEIVING_BYTES, bodyLimitBytes } = options;
  const budget = createBudget({ connections, maxBytes, bodyLimitBytes, giveUp });
  connections.onClose(({ held }) => held.forEach((arrival) => release(budget, arrival)));
  return {
    read(request, payload, done) {
      const connection = connections.of(request.raw.socket);
      // Of a connection that was cut with requests still to be read: nobody waits for the answer.
      if (connection.isClosed) return;
      const arrival = begin(connection, done);
      const announced = request.headers['content-length'];
      if (announced !== undefined) arrival.announcedBytes = Number(announced);
      arrival.isLarge = Number(announced) > SMALL_BYTES;
      request.arrival = arrival;
      payload.on('data', (chunk: Buffer) => take(budget, arrival, chunk));
      payload.on('end', () => finish(budget, arrival));
      payload.on('error', () => fail(budget, arrival, new ReceptionError('body_broken', 'The body ended too early.')));
    },
    answered(request, { isAccepted }) {
      const { arrival } = request;
      if (arrival === null) return;
      release(budget, arrival);
      if (isAccepted) connections.proven(arrival.connection);
      // The answer may wait for its sender to read others; the body need not.
      request.body = undefined;
    },
    bytes: () => budget.receiving,
  };
}

function begin(connection: Connection, done: Done): Arrival {
  const arrival: Arrival = {
    connection,
    pieces: noPieces(),
    announcedBytes: Infinity,
    stepBytes: 0,
    isPartial: false,
    progressAt: 0,
    isLarge: false,
    isOver: false,
    isWhole: false,
    isReleased: false,
    done,
  };
  connection.arriving = arrival;
  connection.held.add(arrival);
  return arrival;
}

function take(budget: Budget, arrival: Arrival, chunk: Buffer): void {
  if (arrival.isOver || arrival.isReleased) return;
  count(budget, arrival, chunk);
  const { bodyLimitBytes, maxBytes } = budget;
  if (arrival.pieces.bytes > bodyLimitBytes) {
    return fail(
      budget,
      arrival,
      new ReceptionError('body_too_large', `The body is larger than ${bodyLimitBytes} bytes.`),
    );
  }
  if (!arrival.isPartial && arrival.pieces.bytes < arrival.announcedBytes) {
    arrival.isPartial = true;
    arrival.progressAt = performance.now();
    budget.connections.update(arrival.connection);
  }
  if (arrival.stepBytes >= PROGRESS_BYTES) {
    arrival.stepBytes = 0;
    budget.connections.progressed(arrival.connection);
  }
  if (!fits(budget, arrival) && !makeRoomFor(budget, arrival)) {
    fail(budget, arrival, new ReceptionError('reception_full', `Bodies of ${maxBytes / 1024 ** 2} MiB are under way.`));
  }
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

function giveUp(budget: Budget, arrival: Arrival): void {
  fail(budget, arrival, new ReceptionError('body_slow', 'The body arrived too slowly.'));
}

function fail(budget: Budget, arrival: Arrival, error: ReceptionError): void {
  if (arrival.isOver) return;
  arrival.isOver = true;
  release(budget, arrival);
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
  connection.held.delete(arrival);
  if (connection.arriving !== arrival) return;
  connection.arriving = undefined;
  if (arrival.isPartial) budget.connections.update(connection);
}
