import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { LargeBody } from './large-body.ts';
import { noPieces, type Pieces } from './pieces.ts';

/** One connection of a sender. Code that changes its first four fields calls `Connections.update` afterwards. */
export interface Connection {
  readonly socket: Socket;
  /** The body on its way in. */
  arriving: Arrival | undefined;
  /** Requests that have arrived in full and have no answer yet. */
  answering: number;
  /** Whether it has had a 200, as nobody without the secret has. */
  isProven: boolean;
  isClosed: boolean;
  /** Bodies that hold memory: on their way in, or waiting for their answer. */
  readonly held: Set<Arrival>;
  /** The table's own: where the connection stands, and between which two checks it was last put last there. */
  place: Set<Connection> | undefined;
  usedIn: number;
  /** How many requests wait for an earlier answer, and since when the connection's answers lie unread. */
  queued: number;
  unreadSince: number | undefined;
  /** A request that had its answer before it had arrived in full, and since when. */
  leftover: { request: IncomingMessage; since: number } | undefined;
}

/** Gets a request's body, or the reason why it does not come in. A small one comes in pieces, a large one is in a file of the spool. */
export type Done = (error: Error | null, body?: readonly Buffer[] | LargeBody) => void;

/** When the bytes of a body came, as the regular check sees it. */
export interface Pace {
  /** The first check that saw it, by `performance.now()`. */
  readonly since: number;
  /** The last check that saw more bytes than the one before. */
  progressAt: number;
  bytes: number;
  /** How long the receiver itself kept the body waiting, in ms. */
  excusedMs: number;
}

/** A body from its first byte to its answer. Plain data: the receiver makes one for each request. */
export interface Arrival {
  readonly connection: Connection;
  readonly payload: IncomingMessage;
  readonly pieces: Pieces;
  /** Bytes that have arrived. */
  bytes: number;
  /** What of them is in memory and counts towards the budget. */
  heldBytes: number;
  /** Where the body goes that is too large for the memory. */
  large: LargeBody | undefined;
  /** Undefined until a check has seen it: most bodies are over before. */
  pace: Pace | undefined;
  /** How many bytes are to come; Infinity where nobody has said. */
  announcedBytes: number;
  /** Bytes since it last made progress. */
  stepBytes: number;
  /** Whether a part of it has come and more is to come. Most bodies come in one piece, and cost the table nothing. */
  isPartial: boolean;
  /** When the first piece of a partial body came, by `performance.now()`. */
  startedAt: number;
  /** When a partial body last made progress, by `performance.now()`. */
  progressAt: number;
  /** Arrived in full, failed or given up: nothing more of it is taken. */
  isOver: boolean;
  isWhole: boolean;
  isReleased: boolean;
  readonly done: Done;
}

/** Makes the arrival of a request's body, of which nothing has come yet. */
export function newArrival(connection: Connection, payload: IncomingMessage, done: Done): Arrival {
  return {
    connection,
    payload,
    pieces: noPieces(),
    bytes: 0,
    heldBytes: 0,
    large: undefined,
    pace: undefined,
    announcedBytes: Infinity,
    stepBytes: 0,
    isPartial: false,
    startedAt: 0,
    progressAt: 0,
    isOver: false,
    isWhole: false,
    isReleased: false,
    done,
  };
}
