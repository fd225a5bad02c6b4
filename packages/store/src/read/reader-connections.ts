import { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Client } from '../connection/client.ts';
import { PrismaClient } from '../generated/client.ts';

/** How long opening a connection may take, in ms: over TLS it takes seven messages there and back. */
const CONNECT_LIMIT_MS = 1_000;

/** How long a connection may idle before the system asks whether the other side is there, in ms. */
const KEEP_ALIVE_MS = 10_000;

/** How long a connection idles before it is closed, in ms. One is in use every second. */
const IDLE_LIMIT_MS = 60_000;

/** A pool of connections. */
export interface PoolOptions {
  databaseUrl: string;
  /** Connections at most. */
  size: number;
  /** How long a statement is waited for, in ms. */
  limitMs: number;
  /** Whether each connection is used once. */
  isFreshEachTime: boolean;
}

/** A client whose connections can be cut. */
export interface ReaderConnections {
  client: Client;
  /** Notes the connections that there are. What it answers cuts those of them that are still open, and resolves when the pool knows. */
  mark(): () => Promise<void>;
  /** Closes all connections; those that hang are cut. */
  close(): Promise<void>;
}

/**
 * Opens a pool; it connects with the first query. pg leaves a connection that hangs in the pool where a transaction ran on it, and one
 * that hangs while it idles: so each connection runs over a socket of ours, which can be cut.
 */
export function openConnections({ databaseUrl, size, limitMs, isFreshEachTime }: PoolOptions): ReaderConnections {
  const sockets = new Set<Socket>();
  const adapter = new PrismaPg({
    connectionString: databaseUrl,
    max: size,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: limitMs,
    idleTimeoutMillis: IDLE_LIMIT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'landline initiation',
    ...(isFreshEachTime && { maxUses: 1 }),
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
    // While a client changes hands nobody listens to it; see client.ts.
    onConnect: (connection) => void connection.on('error', () => undefined),
  });
  const client = new PrismaClient({ adapter });
  const mark = () => {
    const marked = [...sockets];
    // Until a socket says that it is closed the pool gives its connection away.
    return async () => void (await Promise.all(marked.map(cut)));
  };
  return {
    client,
    mark,
    async close() {
      const late = setTimeout(() => void mark()(), limitMs);
      await client.$disconnect();
      clearTimeout(late);
      await mark()();
    },
  };
}

async function cut(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
}
