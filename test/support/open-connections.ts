import { Server, Socket } from 'node:net';

/**
 * Finds the TCP connections and listening servers that keep this process alive.
 *
 * @returns The description of each, by its socket or server. An unreferenced handle is left out, since it keeps no process alive:
 *          for example an idle connection that `fetch` keeps for its next request.
 */
export function openConnections(): Map<object, string> {
  // Undocumented; process.getActiveResourcesInfo() counts the same handles but does not say which they are.
  const handlesOf: unknown = Reflect.get(process, '_getActiveHandles');
  if (typeof handlesOf !== 'function') throw new Error('This Node does not say which handles are open.');
  const handles: unknown = Reflect.apply(handlesOf, process, []);
  if (!Array.isArray(handles)) throw new Error('This Node does not say which handles are open.');
  const open = new Map<object, string>();
  for (const handle of handles) {
    const what = describe(handle);
    if (what !== undefined) open.set(handle, what);
  }
  return open;
}

/** Describes a handle. Returns undefined where it is neither a TCP connection nor a server, such as a pipe to another process. */
function describe(handle: unknown): string | undefined {
  if (handle instanceof Server) return `a server that listens at ${addressOf(handle)}`;
  if (!(handle instanceof Socket)) return undefined;
  if (handle.connecting) return 'a connection that is being made';
  if (handle.remotePort === undefined) return undefined;
  return `a connection from port ${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`;
}

function addressOf(server: Server): string {
  const address = server.address();
  return address === null || typeof address === 'string' ? String(address) : `${address.address}:${address.port}`;
}
