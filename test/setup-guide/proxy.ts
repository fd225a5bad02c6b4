import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { z } from 'zod';
import { closeServer } from '../support/close-server.ts';

/** A proxy with the routes of a Caddyfile, without its certificate. */
export interface Proxy {
  /** The proxy's origin, without a slash at the end. */
  url: string;
  close: () => Promise<void>;
}

/** Reads the port of each path in a Caddyfile. It knows only the part of the language that the guides use. */
export function readCaddyfile(text: string): Map<string, number> {
  const routes = text.matchAll(/handle (\/\S+) \{\s+reverse_proxy 127\.0\.0\.1:(\d+)\s+\}/g);
  return new Map([...routes].map(([, path = '', port]) => [path, Number(port)]));
}

/**
 * Starts a proxy on loopback.
 *
 * @param routes  Ports by path; the answer for every other path is 404.
 */
export async function startProxy(routes: ReadonlyMap<string, number>): Promise<Proxy> {
  const server = createServer((incoming, outgoing) => {
    const port = routes.get(incoming.url ?? '');
    if (port === undefined) outgoing.writeHead(404).end();
    else pass(incoming, outgoing, port);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => closeServer(server, () => server.closeAllConnections()),
  };
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  const { method, url: path, headers } = incoming;
  const forwarded = { ...headers, 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' };
  const onward = request({ host: '127.0.0.1', port, method, path, headers: forwarded }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => void outgoing.writeHead(502).end());
  incoming.pipe(onward);
}
