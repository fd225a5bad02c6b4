import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';

/**
 * How often the table checks for connections whose sender reads no answers, in ms. A connection in use is put last among the idle ones once
 * between two checks: to do so for each request would cost its time.
 */
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

/** All open connections. */
export interface Connections {
  /** The connection that a socket is. */
  of(socket: Socket): Connection;
  /** Notes what has changed. */
  update(connection: Connection): void;
  /** Notes that the body on its way in has made progress. */
  progressed(connection: Connection): void;
  /** Notes that it has had a 200. */
  proven(connection: Connection): void;
  /** Those with a body on its way in; first that whose body has made no progress for the longest. */
  receiving(): Iterable<Connection>;
  /** Notes a request that has its answer and has not arrived in full. */
  leftOver(connection: Connection, request: IncomingMessage): void;
  /** All open connections. */
  all(): Iterable<Connection>;
  /** Notes a request whose answer must wait for an earlier one; cuts a connection that has too many. */
  queued(connection: Connection, answer: { once(event: 'close', listener: () => void): unknown }): void;
  /** Has `listener` called with each connection that closes. */
  onClose(listener: (connection: Connection) => void): void;
  /** How many are open. */
  count(): number;
}

/** What bounds the connections. */
export interface ConnectionLimits {
  maxConnections: number;
  /** How long an answer may lie unread, and how long the rest of an answered request may take, in ms. */
  unreadLimitMs: number;
  /** A connection was dropped because too many were open. */
  onDrop: (state: DroppedState) => void;
}

interface Table extends ConnectionLimits {
  readonly known: WeakMap<Socket, Connection>;
  readonly open: Set<Connection>;
  readonly places: Readonly<Record<(typeof PLACES)[number], Set<Connection>>>;
  /** How many checks there were. */
  sweeps: number;
  onClose: (connection: Connection) => void;
}

/**
 * Keeps the table of a server's connections. When there is one too many, the table drops another: first the oldest that has sent no
 * signed request in full, then that whose body has made no progress for the longest, then that which has idled for the longest. A
 * connection is never dropped between the end of a request and its answer.
 */
export function createConnections(server: Server, limits: ConnectionLimits): Connections {
  const places = { silent: new Set<Connection>(), receiving: new Set<Connection>(), idle: new Set<Connection>() };
  const table: Table = {
    ...limits,
    known: new WeakMap(),
    open: new Set(),
    places,
    sweeps: 0,
    onClose: nothing,
  };
  server.on('connection', (socket: Socket) => {
    const connection = enter(table, socket);
    if (table.open.size > table.maxConnections) makeRoomFor(table, connection);
  });
  const sweeping = setInterval(() => sweep(table), SWEEP_MS).unref();
  server.once('close', () => clearInterval(sweeping));
  return {
    of: (socket) => table.known.get(socket) ?? enter(table, socket),
    update: (connection) => update(table, connection),
    progressed,
    proven: (connection) => proven(table, connection),
    receiving: () => places.receiving,
    leftOver,
    all: () => table.open,
    queued,
    onClose: (listener) => (table.onClose = listener),
    count: () => table.open.size,
  };
}

function nothing(): void {}

function enter(table: Table, socket: Socket): Connection {
  const connection: Connection = {
    socket,
    arriving: undefined,
    answering: 0,
    isProven: false,
    isClosed: false,
    held: new Set(),
    place: undefined,
    usedIn: table.sweeps,
    queued: 0,
    unreadSince: undefined,
    leftover: undefined,
  };
  table.known.set(socket, connection);
  table.open.add(connection);
  update(table, connection);
  socket.once('close', () => leave(table, connection));
  return connection;
}

function leave(table: Table, connection: Connection): void {
  connection.isClosed = true;
  table.onClose(connection);
  update(table, connection);
  table.open.delete(connection);
}

function update({ places }: Table, connection: Connection): void {
  const place = placeOf(places, connection);
  if (place === connection.place) return;
  connection.place?.delete(connection);
  connection.place = place?.add(connection);
}

function placeOf(places: Table['places'], connection: Connection): Set<Connection> | undefined {
  if (connection.isClosed) return undefined;
  if (connection.arriving?.isPartial === true) return places.receiving;
  return connection.isProven ? places.idle : places.silent;
}

function makeRoomFor(table: Table, newest: Connection): void {
  for (const state of PLACES) {
    for (const victim of table.places[state]) {
      if (victim !== newest && victim.answering === 0) return drop(table, victim, state);
    }
  }
  drop(table, newest, 'new');
}

function drop(table: Table, connection: Connection, state: DroppedState): void {
  table.onDrop(state);
  connection.socket.destroy();
  leave(table, connection);
}

function sweep(table: Table): void {
  const { open, unreadLimitMs } = table;
  table.sweeps++;
  const now = performance.now();
  for (const connection of open) {
    if (!connection.socket.writableLength) connection.unreadSince = undefined;
    else if (now - (connection.unreadSince ??= now) > unreadLimitMs) connection.socket.destroy();
    if (isStuck(connection, now, unreadLimitMs)) connection.socket.destroy();
  }
}

function leftOver(connection: Connection, request: IncomingMessage): void {
  connection.leftover = { request, since: performance.now() };
}

/** Whether the rest of a request that has its answer takes too long: nobody waits for it, but it takes up the connection. */
function isStuck(connection: Connection, now: number, limitMs: number): boolean {
  const { leftover } = connection;
  if (leftover === undefined) return false;
  if (leftover.request.complete) connection.leftover = undefined;
  return !leftover.request.complete && now - leftover.since > limitMs;
}

function progressed(connection: Connection): void {
  if (connection.arriving === undefined) return;
  connection.arriving.progressAt = performance.now();
  if (connection.arriving.isPartial) putLast(connection);
}

function proven(table: Table, connection: Connection): void {
  if (!connection.isProven) {
    connection.isProven = true;
    return update(table, connection);
  }
  if (connection.usedIn === table.sweeps) return;
  connection.usedIn = table.sweeps;
  putLast(connection);
}

function putLast(connection: Connection): void {
  if (connection.place?.delete(connection)) connection.place.add(connection);
}

function queued(connection: Connection, answer: { once(event: 'close', listener: () => void): unknown }): void {
  connection.queued++;
  answer.once('close', () => connection.queued--);
  if (connection.queued > MAX_PIPELINED) connection.socket.destroy();
}
