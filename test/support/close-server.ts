import { once } from 'node:events';
import type { Server } from 'node:net';
import { promisify } from 'node:util';

/** How long connections that have been cut may take to go, in ms. */
const CLOSE_LIMIT_MS = 5_000;

/**
 * Closes a server; does nothing when it is closed already.
 *
 * @param cutAll  Cuts its connections.
 * @throws        When one is still open five seconds later.
 */
export async function closeServer(server: Server, cutAll: () => void): Promise<void> {
  if (!server.listening) return;
  // Asked for first: from `close` on it no longer listens, whatever is still open.
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
