import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { closeServer } from './close-server.ts';
import { isReady } from './post.ts';

/**
 * A small load balancer. It asks each server for its readiness and sends to the ready ones in turn; it never retries. A server that does not say in time whether it is ready stays what it was.
 */
export interface Balancer {
  url: string;
  add: (origin: string) => void;
  remove: (origin: string) => void;
  /** Whether the balancer sends to this server now. */
  isUsed: (origin: string) => boolean;
  close: () => Promise<void>;
}

const ASK_INTERVAL_MS = 500;
/** An answer that took longer tells of the machine, and not of the server. */
const LATE_MS = 1_500;

/** Starts a balancer on a free port of loopback. */
export async function startBalancer(): Promise<Balancer> {
  const ready = new Map<string, boolean>();
  let turn = 0;

  async function ask(origin: string): Promise<void> {
    const askedAt = performance.now();
    const answer = await isReady(origin);
    const isLate = performance.now() - askedAt > LATE_MS;
    if (ready.has(origin) && !isLate) ready.set(origin, answer);
  }

  const server = createServer((incoming, answer) => {
    const readyOnes = [...ready].flatMap(([origin, isUsed]) => (isUsed ? [origin] : []));
    const origin = readyOnes[turn++ % readyOnes.length];
    const fail = () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end());
    if (origin === undefined) return void fail();
    const { method, headers } = incoming;
    const outgoing = request(new URL(incoming.url ?? '/', origin), { method: method ?? 'GET', headers, agent: false });
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, { 'content-type': response.headers['content-type'] ?? '' });
      response.on('error', fail).pipe(answer);
    });
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The balancer has no port.');
  const asking = setInterval(() => {
    for (const origin of ready.keys()) void ask(origin);
  }, ASK_INTERVAL_MS);
  return {
    url: `http://127.0.0.1:${address.port}`,
    add: (origin) => void ready.set(origin, false),
    remove: (origin) => void ready.delete(origin),
    isUsed: (origin) => ready.get(origin) ?? false,
    async close() {
      clearInterval(asking);
      await closeServer(server, () => server.closeAllConnections());
    },
  };
}
