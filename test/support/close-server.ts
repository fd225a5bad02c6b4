import { once } from 'node:events';
import type { Server } from 'node:net';
import { promisify } from 'node:util';

/** How long cut connections may take to close, in ms. */
const CLOSE_LIMIT_MS = 20_000;

/**
 * Closes a server. Does nothing when the server is closed already.
 *
 * @param cutAll  Cuts its connections.
 * @throws        When a connection is still open 20 seconds later.
 */
export async function closeServer(server: Server, cutAll: () => void): Promise<void> {
  if (!server.listening) return;
  // `close` comes first: from then on the server does not listen, even while connections are open.
  const closed = once(server, 'close', { signal: AbortSignal.timeout(CLOSE_LIMIT_MS) });
  server.close();
  cutAll();
  try {
    await closed;
  } catch (cause) {
    const left = await promisify(server.getConnections.bind(server))();
    throw new Error(`${left} connections of a server that is closed are still open.`, { cause });
  }
}
