import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { closeServer } from './close-server.ts';
import { openSlowLine, type SlowLine } from './slow-line.ts';

/** A TCP proxy in front of a server, which can break the connection between a client and the server. */
export interface TcpProxy {
  /** The server's URL through the proxy. */
  url: string;
  /**
   * Waits until a client has sent `match`, and passes that on. Then it cuts the client's connection before the answer comes, or passes
   * nothing more on it. It acts once.
   */
  after(match: string, fault: 'cut' | 'freeze'): void;
  /** Passes at most so many bytes a second to the server, of all connections together, which take turns. */
  limit(bytesPerSecond: number): void;
  /** Cuts the first connection on which so many bytes have passed to the server from now on. It acts once. */
  cutAfter(bytes: number): void;
  /** Delays the server's answers by `ms` milliseconds, on connections that are opened from now on. */
  delay(ms: number): void;
  /** Passes nothing more on the open connections, which stay open: as if they were half-open. */
  freeze(): void;
  /** Cuts all connections with a reset. */
  reset(): void;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}

type Pair = readonly [client: Socket, upstream: Socket];

/** Starts a proxy on loopback in front of the server that `url` names, of any scheme with a host and a port. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const pairs = new Set<Pair>();
  let armed: { match: string; fault: 'cut' | 'freeze' } | undefined;
  let delayMs = 0;
  let line: SlowLine | undefined;
  let cut: { afterBytes: number; passed: WeakMap<Pair, number> } | undefined;

  function pass(pair: Pair, chunk: Buffer): void {
    const [client, upstream] = pair;
    upstream.write(chunk);
    if (cut !== undefined) {
      const passed = (cut.passed.get(pair) ?? 0) + chunk.length;
      cut.passed.set(pair, passed);
      if (passed >= cut.afterBytes) {
        cut = undefined;
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    }
    if (armed === undefined || !chunk.includes(armed.match)) return;
    if (armed.fault === 'freeze') freeze(pair);
    else {
      client.destroy();
      upstream.end();
    }
    armed = undefined;
  }

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair: Pair = [client, upstream];
    const answerDelayMs = delayMs;
    pairs.add(pair);
    client.on('data', (chunk) => {
      if (line === undefined) pass(pair, chunk);
      else line.send(pair, chunk, (part) => pass(pair, part));
    });
    client.on('close', () => line?.drop(pair));
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
    limit: (bytesPerSecond) => void (line = openSlowLine(bytesPerSecond)),
    cutAfter: (bytes) => void (cut = { afterBytes: bytes, passed: new WeakMap() }),
    delay: (ms) => void (delayMs = ms),
    freeze: () => pairs.forEach(freeze),
    reset,
    close: () => closeServer(server, reset),
  };
}

function freeze(pair: readonly Socket[]): void {
  for (const socket of pair) socket.removeAllListeners('data').pause();
}
