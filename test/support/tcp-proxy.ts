import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { closeServer } from './close-server.ts';

/** A TCP proxy in front of a server, to break the line between a client and it. */
export interface TcpProxy {
  /** The server's URL, by way of the proxy. */
  url: string;
  /**
   * Once a client has sent `match`, passes that on and cuts the client off before it hears the answer, or lets nothing
   * more pass on its connection. Acts once.
   */
  after(match: string, fault: 'cut' | 'freeze'): void;
  /** Holds back what the server answers, on connections made from now on, by so many milliseconds. */
  delay(ms: number): void;
  /** From now on nothing passes on the connections that there are, though they stay open: a half-open line. */
  freeze(): void;
  /** Cuts all connections with a reset. */
  reset(): void;
  /** Cuts all connections and listens no more. */
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
      // Not before both are gone: what is left of a pair is still to be cut.
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
