import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { closeServer } from './close-server.ts';

/** A TCP proxy in front of a server, which can break the connection between a client and the server. */
export interface TcpProxy {
  /** The server's URL through the proxy. */
  url: string;
  /**
   * Waits until a client has sent `match`, and passes that on. Then it cuts the client's connection before the answer comes, or passes
   * nothing more on it. It acts once.
   */
  after(match: string, fault: 'cut' | 'freeze'): void;
  /** Delays the server's answers by `ms` milliseconds, on connections that are opened from now on. */
  delay(ms: number): void;
  /** Passes nothing more on the open connections, which stay open: as if they were half-open. */
  freeze(): void;
  /** Cuts all connections with a reset. */
  reset(): void;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}

/** Starts a proxy on loopback in front of the server that `url` names, of any scheme with a host and a port. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  let armed: { match: string; fault: 'cut' | 'freeze' } | undefined;
  let delayMs = 0;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    const answerDelayMs = delayMs;
    pairs.add(pair);
    client.on('data', (chunk) => {
      upstream.write(chunk);
      if (armed === undefined || !chunk.includes(armed.match)) return;
      if (armed.fault === 'freeze') freeze(pair);
      else {
        client.destroy();
        upstream.end();
      }
      armed = undefined;
    });
    upstream.on('data', (chunk) => {
      if (answerDelayMs > 0) setTimeout(() => client.write(chunk), answerDelayMs);
      else client.write(chunk);
    });
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => to.destroy());
      from.on('end', () => to.end());
      // A pair stays in the set until both sockets are closed: `reset` must still cut the other one.
      from.on('close', () => {
        if (to.destroyed) pairs.delete(pair);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${address.port}`;

  const reset = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  };
  return {
    url: proxied.href,
    after: (match, fault) => void (armed = { match, fault }),
    delay: (ms) => void (delayMs = ms),
    freeze: () => pairs.forEach(freeze),
    reset,
    close: () => closeServer(server, reset),
  };
}

function freeze(pair: readonly Socket[]): void {
  for (const socket of pair) socket.removeAllListeners('data').pause();
}
