import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { closeServer } from '../support/close-server.ts';

/** The lines between two parts, a proxy on each. */
export const LINES = [
  'sender-receiver',
  'receiver-Redis',
  'receiver-storage',
  'worker-Redis',
  'worker-Postgres',
] as const;

/** One of `LINES`. */
export type Line = (typeof LINES)[number];

/** By line; of each receiver or worker its own, in their order. */
export type Links = Readonly<Record<Line, readonly Link[]>>;

/** Something that a client sends, as it is told by on the wire. */
export interface Moment {
  name: string;
  /** Made for each connection; tells of all that is sent there, chunk by chunk, whether it is this. */
  watch: () => (chunk: Buffer) => boolean;
}

/** A TCP proxy in front of one part, to break the line between it and another. */
export interface Link {
  /** Where the proxy listens. */
  port: number;
  /** Where connections lead that are made from now on. */
  leadTo(port: number): void;
  /** From now on everything comes so much later, in ms; 0: at once. */
  delay(ms: number): void;
  /** From now on so many bytes a second reach the far end, of all connections together; undefined: as many as come. */
  limit(bytesPerSecond: number | undefined): void;
  /** Nothing passes, and nobody is told, as when every packet is lost; until `release`, when all of it comes after all. */
  hold(): void;
  release(): void;
  /** Cuts all connections with a reset. */
  reset(): void;
  /** While true, new connections are reset as well. */
  refuse(isRefused: boolean): void;
  /** Of the connections there are the far end goes, and the near end is never told. New ones are well. */
  halfOpen(): void;
  /**
   * Waits for a client to come to `moment`, and breaks that connection there: `mid-command` passes on half of what is sent and
   * resets; `before-answer` passes it on and lets no answer back.
   *
   * @returns Resolves when it has happened: before an answer, once the other side has had time to do what it was told.
   */
  breakAt(moment: Moment, where: 'mid-command' | 'before-answer'): Promise<void>;
  /** Waits no longer. */
  disarm(): void;
  /** @throws When a connection is left. */
  close(): Promise<void>;
}

/** After its first answer, so long a server is left to finish what was sent together, in ms. */
const FINISH_MS = 10;

interface Pair {
  client: Socket;
  upstream: Socket;
  isDeaf: boolean;
}

interface Trap {
  moment: Moment;
  where: 'mid-command' | 'before-answer';
  sprung: () => void;
  watches: Map<Pair, (chunk: Buffer) => boolean>;
}

/** A chunk that waits for its time; null: the end. */
interface Delayed {
  at: number;
  chunk: Buffer | null;
}

/** Starts a proxy on loopback. */
export async function startLink(targetPort: number): Promise<Link> {
  const pairs = new Set<Pair>();
  let target = targetPort;
  let delayMs = 0;
  let bytesPerSecond = Infinity;
  /** When the line to the far end has carried all that was handed to it. */
  let carriedAt = 0;
  let isHeld = false;
  let isRefused = false;
  let trap: Trap | undefined;

  function cut({ client, upstream }: Pair): void {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  }

  function timeOf(chunk: Buffer | null, isUpstream: boolean): number {
    const now = performance.now();
    if (!isUpstream) return now + delayMs;
    carriedAt = Math.max(carriedAt, now) + ((chunk?.length ?? 0) / bytesPerSecond) * 1000;
    return carriedAt + delayMs;
  }

  /** Passes on what comes from one side, in order, each chunk at its time. */
  function pipe([from, to, isUpstream]: [Socket, Socket, boolean], pass: (chunk: Buffer) => boolean): void {
    const waiting: Delayed[] = [];
    let timer: NodeJS.Timeout | undefined;
    function deliver(): void {
      timer = undefined;
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const restMs = next.at - performance.now();
        if (restMs > 0) return void (timer = setTimeout(deliver, Math.max(1, restMs)));
        waiting.shift();
        if (next.chunk === null) to.end();
        else to.write(next.chunk);
      }
    }
    function later(chunk: Buffer | null): void {
      const at = timeOf(chunk, isUpstream);
      waiting.push({ at: Math.max(at, waiting.at(-1)?.at ?? 0), chunk });
      if (timer === undefined) deliver();
    }
    from.on('data', (chunk: Buffer) => {
      if (pass(chunk)) later(chunk);
    });
    from.on('end', () => later(null));
    from.on('error', () => undefined);
    from.on('close', () => clearTimeout(timer));
  }

  function spring(pair: Pair, chunk: Buffer): boolean {
    if (trap === undefined || pair.isDeaf) return true;
    const { moment, where, sprung, watches } = trap;
    const watch = watches.get(pair) ?? moment.watch();
    watches.set(pair, watch);
    if (!watch(chunk)) return true;
    trap = undefined;
    if (where === 'mid-command') {
      pair.upstream.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => {
        cut(pair);
        sprung();
      });
      return false;
    }
    pair.isDeaf = true;
    pair.upstream.once('data', () => setTimeout(sprung, FINISH_MS));
    return true;
  }

  const server = createServer({ noDelay: true }, (client) => {
    if (isRefused) {
      client.on('error', () => undefined);
      return void client.resetAndDestroy();
    }
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client, upstream, isDeaf: false };
    pairs.add(pair);
    pipe([client, upstream, true], (chunk) => spring(pair, chunk));
    pipe([upstream, client, false], () => !pair.isDeaf);
    // Whichever side goes takes the other with it; of a half-open line only one goes. The client may take its time, and be cut then.
    client.on('close', () => {
      pairs.delete(pair);
      upstream.destroy();
    });
    upstream.on('close', (hadError) => {
      if (pair.isDeaf) return;
      if (hadError) client.resetAndDestroy();
      else client.destroySoon();
    });
    if (isHeld) for (const socket of [client, upstream]) socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');

  const reset = (): void => pairs.forEach(cut);
  return {
    port: address.port,
    leadTo: (port) => void (target = port),
    delay: (ms) => void (delayMs = ms),
    limit: (bytes = Infinity) => void (bytesPerSecond = bytes),
    hold() {
      isHeld = true;
      for (const { client, upstream } of pairs) for (const socket of [client, upstream]) socket.pause();
    },
    release() {
      isHeld = false;
      for (const { client, upstream } of pairs) for (const socket of [client, upstream]) socket.resume();
    },
    reset,
    refuse: (refused) => void (isRefused = refused),
    halfOpen() {
      for (const pair of pairs) {
        pair.isDeaf = true;
        pair.upstream.resetAndDestroy();
      }
    },
    breakAt: (moment, where) => new Promise((sprung) => (trap = { moment, where, sprung, watches: new Map() })),
    disarm: () => void (trap = undefined),
    close: () => closeServer(server, reset),
  };
}
