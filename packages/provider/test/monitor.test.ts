import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Provider } from '../src/index.ts';
import { endWhenDead } from '../src/monitor/end-when-dead.ts';
import { createMessageRoom } from '../src/monitor/message-room.ts';
import { openMonitor } from '../src/monitor/open-monitor.ts';
import { API_KEY, serve } from './support/serve.ts';

const WAIT = { timeout: 20_000 };
const MIB = 1024 * 1024;

/** Starts the provider's side of the sockets. */
async function serveSockets(
  onSocket: (socket: WebSocket) => void,
  options: { silenceMs?: number; autoPong?: boolean } = {},
) {
  const { autoPong = true, ...client } = options;
  const served = await serve([], client);
  const headers: unknown[] = [];
  const sockets = new WebSocketServer({ noServer: true, autoPong });
  served.server.on('upgrade', (request, stream, head) => {
    headers.push([request.url, request.headers['xi-api-key']]);
    sockets.handleUpgrade(request, stream, head, (socket) => onSocket(socket.on('error', () => undefined)));
  });
  return { ...served, headers };
}

/** Follows a call, and notes what is heard. */
function follow(provider: Provider, id = 'c1') {
  const messages: unknown[] = [];
  const closes: [code: number, reason: string][] = [];
  const socket = provider.monitor(id, {
    onMessage: (message) => messages.push(message),
    onTooLarge: (bytes) => messages.push(bytes),
    onClose: (code, reason) => closes.push([code, reason]),
  });
  return { socket, messages, closes };
}

test('hears the messages of a call, and how its socket was closed', async () => {
  const { provider, headers } = await serveSockets((socket) => {
    for (const text of ['{"type": "a"}', 'no JSON', '[1]', 'null', '{"type": "ب"}']) socket.send(text);
    socket.send(Buffer.from('{"type": "bytes"}'));
    socket.close(1008, 'Monitoring is not enabled');
  });
  const { messages, closes } = follow(provider, 'c/1');
  await vi.waitFor(() => expect(closes).toEqual([[1008, 'Monitoring is not enabled']]), WAIT);
  expect(messages).toEqual([{ type: 'a' }, { type: 'ب' }]);
  expect(headers).toEqual([['/v1/convai/conversations/c%2F1/monitor', API_KEY]]);
});

test('tells a socket that is refused from one that cannot be opened', async () => {
  const { provider, server } = await serve([]);
  let status = 403;
  server.on('upgrade', (_request, stream) => stream.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\n\r\n`));
  const refused = follow(provider);
  await vi.waitFor(() => expect(refused.closes).toEqual([[1008, expect.stringContaining('403')]]), WAIT);
  status = 503;
  const failed = follow(provider);
  await vi.waitFor(() => expect(failed.closes).toEqual([[1006, expect.stringContaining('503')]]), WAIT);
  server.close();
  server.closeAllConnections();
  const nobody = follow(provider);
  await vi.waitFor(() => expect(nobody.closes).toEqual([[1006, expect.stringContaining('ECONNREFUSED')]]), WAIT);
});

test('ends a socket whose other side is gone', async () => {
  const { provider } = await serveSockets(() => undefined, { silenceMs: 2_000, autoPong: false });
  const { closes } = follow(provider);
  await vi.waitFor(() => expect(closes).toEqual([[1006, expect.stringContaining('silent')]]), WAIT);
});

test('keeps a socket that only has nothing to say: a sign of life is asked for, and waited for once', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const sockets: WebSocket[] = [];
  const { url } = await serveSockets((socket) => sockets.push(socket), { autoPong: false });
  const client = new WebSocket(url.replace('http', 'ws')).on('error', () => undefined);
  const ends: string[] = [];
  endWhenDead(client, 2_000, () => ends.push('dead'));
  await once(client, 'open');
  const [server] = sockets;
  for (let signs = 0; signs < 3; signs++) {
    const asked = once(server ?? client, 'ping');
    vi.advanceTimersByTime(1_000);
    await asked;
    const heard = once(client, 'pong');
    server?.pong();
    await heard;
    expect(ends).toEqual([]);
  }
  vi.advanceTimersByTime(1_000);
  expect(ends).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(ends).toEqual(['dead']);
});

test('reads on behind bytes that are no UTF-8', async () => {
  const { provider } = await serveSockets((socket) => {
    socket.send(Buffer.from('7b2274797065223a22ff227d', 'hex'), { binary: false });
    socket.send('{"type": "next"}');
    socket.close(1000, 'over');
  });
  const { messages, closes } = follow(provider);
  await vi.waitFor(() => expect(closes).toEqual([[1000, 'over']]), WAIT);
  expect(messages).toEqual([{ type: '\ufffd' }, { type: 'next' }]);
});

test('leaves a large message out and hears what comes behind it; one that is larger still ends the socket', async () => {
  const { provider } = await serveSockets((socket) => {
    for (const bytes of [MIB + 1, 16 * MIB]) socket.send('"'.padEnd(bytes, 'x'));
    socket.send('{"type": "next"}');
    socket.send('"'.padEnd(16 * MIB + 1, 'x'));
    socket.send('{"type": "never heard"}');
  });
  const { messages, closes } = follow(provider);
  await vi.waitFor(() => expect(closes).toEqual([[1009, expect.stringContaining('16777216 bytes')]]), WAIT);
  expect(messages).toEqual([MIB + 1, 16 * MIB, { type: 'next' }]);
});

test('all sockets together hold no more of messages that are not whole than their room has, and small messages pass', async () => {
  const sides: WebSocket[] = [];
  const { url } = await serveSockets((socket) => sides.push(socket));
  const room = createMessageRoom(2 * MIB);
  const heard: unknown[] = [];
  async function opened(name: string): Promise<WebSocket> {
    const before = sides.length;
    const socket = openMonitor(
      name,
      { origin: url, apiKey: API_KEY, silenceMs: 30_000, room },
      {
        onMessage: ({ type }) => heard.push([name, type]),
        onTooLarge: (bytes) => heard.push([name, bytes]),
        onClose: (code, reason) => heard.push([name, code, reason]),
      },
    );
    onTestFinished(() => socket.close());
    await vi.waitFor(() => expect(sides.length).toBeGreaterThan(before), WAIT);
    const [side] = sides.slice(-1);
    if (side === undefined) throw new Error('There is no socket.');
    return side;
  }
  const half = await opened('half');
  half.send('x'.repeat(1.5 * MIB), { fin: false });
  const isThere = once(half, 'pong');
  half.ping();
  await isThere;
  const other = await opened('other');
  other.send('x'.repeat(MIB), { fin: false });
  await vi.waitFor(() => expect(heard).toEqual([['other', 1009, expect.stringContaining('together')]]), WAIT);
  const small = await opened('small');
  small.send('{"type": "words"}');
  await vi.waitFor(() => expect(heard.slice(1)).toEqual([['small', 'words']]), WAIT);
  half.send('x', { fin: true });
  await vi.waitFor(() => expect(heard.slice(2)).toEqual([['half', 1.5 * MIB + 1]]), WAIT);
  // What was held is free again, also that of a socket that was ended.
  small.send('x'.repeat(1.9 * MIB));
  await vi.waitFor(() => expect(heard.slice(3)).toEqual([['small', Math.floor(1.9 * MIB)]]), WAIT);
});

test('closes a socket once, also before it is open, and all with the provider', async () => {
  const opened: WebSocket[] = [];
  const { provider } = await serveSockets((socket) => opened.push(socket));
  const early = follow(provider);
  early.socket.close();
  const late = follow(provider);
  await vi.waitFor(() => expect(opened).toHaveLength(1), WAIT);
  late.socket.close();
  late.socket.close();
  const last = follow(provider);
  await vi.waitFor(() => expect(opened).toHaveLength(2), WAIT);
  provider.close();
  const all = [early, late, last];
  await vi.waitFor(() => expect(all.map(({ closes }) => closes)).toEqual(all.map(() => [[1000, '']])), WAIT);
});
