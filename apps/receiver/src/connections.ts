import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How often the table looks for connections whose sender reads no answers, in ms. */
const SWEEP_MS = 1000;

/** Requests that may wait on one connection for the answer to an earlier one. A sender that reads its answers never has as many. */
const MAX_PIPELINED = 128;

/** Where a connection stands that may be dropped, in the order in which the table drops them. */
const PLACES = ['silent', 'receiving', 'idle'] as const;

/**
 * What a dropped connection did. `silent`: it has sent no signed request in full; `receiving`: a body was on its way in; `idle`: it has
 * had a 200 and had nothing under way; `new`: it had just been opened.
 */
export type DroppedState = (typeof PLACES)[number] | 'new';

/** A body on its way in. */
export interface Arriving {
  isLarge: boolean;
  /** When it last made progress, by `performance.now()`. */
  progressAt: number;
  /** Answers its request at once, and gives back what the body holds. */
  giveUp: () => void;
}

/** One connection of a sender. What changes it calls `update` afterwards. */
export interface Connection {
  readonly socket: Socket;
  arriving: Arriving | undefined;
  /** Requests that have arrived in full and have no answer yet. */
  answering: number;
  /** Whether it has had a 200, as nobody without the secret has. */
  isProven: boolean;
  isClosed: boolean;
  /** Called when it closes. */
  readonly onClose: Set<() => void>;
  /** The table's own: where it stands, how many requests wait for an earlier answer, since when its answers lie unread. */
  place: Set<Connection> | undefined;
  queued: number;
  unreadSince: number | undefined;
}

/** All open connections. */
export interface Connections {
  /** The connection that a socket is. */
  of(socket: Socket): Connection;
  /** Notes what has changed. */
  update(connection: Connection): void;
  /** Notes that the body on its way in has made progress. */
  progressed(connection: Connection): void;
  /** Those with a body on its way in; first that whose body has made no progress for the longest. */
  receiving(): Iterable<Connection>;
  /** Notes a request whose answer must wait for an earlier one; cuts a connection that has too many. */
  queued(connection: Connection, answer: { once(event: 'close', listener: () => void): unknown }): void;
  /** How many are open. */
  count(): number;
}

/** What bounds the connections. */
export interface ConnectionLimits {
  maxConnections: number;
  /** How long an answer may lie unread, in ms. */
  unreadLimitMs: number;
  /** A connection was dropped because too many were open. */
  onDrop: (state: DroppedState) => void;
}

/**
 * Keeps the table of a server's connections. When there is one too many, the table drops another: first the oldest that has sent no
 * signed request in full, then that whose body has made no progress for the longest, then that which has idled for the longest. A
 * connection is never dropped between the end of a request and its answer.
 */
export function createConnections(server: Server, limits: ConnectionLimits): Connections {
  const known = new WeakMap<Socket, Connection>();
  const open = new Set<Connection>();
  const places = { silent: new Set<Connection>(), receiving: new Set<Connection>(), idle: new Set<Connection>() };

  function enter(socket: Socket): Connection {
    const connection = newConnection(socket);
    known.set(socket, connection);
    open.add(connection);
    update(connection);
    socket.once('close', () => leave(connection));
    return connection;
  }

  function leave(connection: Connection): void {
    connection.isClosed = true;
    for (const close of connection.onClose) close();
    connection.onClose.clear();
    update(connection);
    open.delete(connection);
  }

  function placeOf(connection: Connection): Set<Connection> | undefined {
    if (connection.isClosed || connection.answering > 0) return undefined;
    if (connection.arriving !== undefined) return places.receiving;
    return connection.isProven ? places.idle : places.silent;
  }

  function update(connection: Connection): void {
    const place = placeOf(connection);
    if (place === connection.place) return;
    connection.place?.delete(connection);
    connection.place = place?.add(connection);
  }

  function makeRoomFor(newest: Connection): void {
    for (const state of PLACES) {
      const [victim] = places[state];
      if (victim !== undefined && victim !== newest) return drop(victim, state);
    }
    drop(newest, 'new');
  }

  function drop(connection: Connection, state: DroppedState): void {
    limits.onDrop(state);
    connection.socket.destroy();
    leave(connection);
  }

  function sweep(): void {
    const now = performance.now();
    for (const connection of open) {
      if (!connection.socket.writableLength) connection.unreadSince = undefined;
      else if (now - (connection.unreadSince ??= now) > limits.unreadLimitMs) connection.socket.destroy();
    }
  }

  server.on('connection', (socket: Socket) => {
    const connection = enter(socket);
    if (open.size > limits.maxConnections) makeRoomFor(connection);
  });
  const sweeping = setInterval(sweep, SWEEP_MS).unref();
  server.once('close', () => clearInterval(sweeping));

  return {
    of: (socket) => known.get(socket) ?? enter(socket),
    update,
    progressed(connection) {
      if (connection.arriving === undefined) return;
      connection.arriving.progressAt = performance.now();
      // To the end of the order.
      if (connection.place?.delete(connection)) connection.place.add(connection);
    },
    receiving: () => places.receiving,
    queued(connection, answer) {
      connection.queued++;
      answer.once('close', () => connection.queued--);
      if (connection.queued > MAX_PIPELINED) connection.socket.destroy();
    },
    count: () => open.size,
  };
}

function newConnection(socket: Socket): Connection {
  return {
    socket,
    arriving: undefined,
    answering: 0,
    isProven: false,
    isClosed: false,
    onClose: new Set(),
    place: undefined,
    queued: 0,
    unreadSince: undefined,
  };
}
