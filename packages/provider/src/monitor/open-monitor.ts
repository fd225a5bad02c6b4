import { WebSocket, type RawData } from 'ws';
import type { MonitorHandlers, MonitorSocket } from '../provider.ts';
import { inPath } from '../request/in-path.ts';
import { endWhenDead } from './end-when-dead.ts';
import type { MessageRoom } from './message-room.ts';

/** Of a message, in bytes. A larger one ends its socket, and comes again on the next one. */
const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

/** Of a message that is read, in bytes: the largest are results of tools. A larger one is awaited and left out, so that what comes behind it is heard. */
const READ_LIMIT_BYTES = 1024 * 1024;

/** The close code of a policy, with which the provider also refuses to have an agent monitored. */
const REFUSED = 1008;
/** The close code of a connection that was lost, or never made. */
const LOST = 1006;
const TOO_BIG = 1009;

/** How long the other side has to answer a close, in ms. */
const CLOSING_MS = 1_000;

/** Statuses with which a handshake is refused for good. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);

/** What a monitoring socket needs. */
export interface MonitorOptions {
  origin: string;
  apiKey: string;
  silenceMs: number;
  /** For the messages of all sockets of this process. */
  room: MessageRoom;
}

/** Follows a running call. Only text is listened to, and nothing is sent. */
export function openMonitor(id: string, options: MonitorOptions, handlers: MonitorHandlers): MonitorSocket {
  const url = new URL(`${options.origin}/v1/convai/conversations/${inPath(id)}/monitor`);
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  const socket = new WebSocket(url, {
    headers: { 'xi-api-key': options.apiKey },
    maxPayload: MESSAGE_LIMIT_BYTES,
    // Bytes that are no UTF-8 become U+FFFD. Else they would end each new socket, for they come again on it.
    skipUTF8Validation: true,
    handshakeTimeout: options.silenceMs,
    perMessageDeflate: false,
    followRedirects: false,
  });
  /** Why we end the socket; the code of the close itself says nothing then. */
  let ending: { code: number; reason: string } | undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary || ending !== undefined) return;
    const bytes = bytesOf(data);
    if (bytes.length > READ_LIMIT_BYTES) return handlers.onTooLarge(bytes.length);
    const message = readMessage(bytes.toString());
    if (message !== undefined) handlers.onMessage(message);
  });
  options.room.watch(socket, () => {
    ending ??= {
      code: TOO_BIG,
      reason: 'The monitoring sockets together hold too much of messages that are not whole.',
    };
    socket.terminate();
  });
  socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
    const code = REFUSALS.has(statusCode) ? REFUSED : LOST;
    ending ??= { code, reason: `ElevenLabs refuses the monitoring socket with status ${statusCode}.` };
    socket.terminate();
  });
  socket.on('error', (error) => (ending ??= faultOf(error)));
  socket.on('close', (code, reason) => handlers.onClose(ending?.code ?? code, ending?.reason ?? reason.toString()));
  endWhenDead(socket, options.silenceMs, () => {
    ending ??= { code: LOST, reason: `The monitoring socket was silent for ${options.silenceMs / 1000} seconds.` };
  });
  return {
    close() {
      ending ??= { code: 1000, reason: '' };
      socket.close(1000);
      setTimeout(() => socket.terminate(), CLOSING_MS).unref();
    },
  };
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

function readMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faultOf(error: Error): { code: number; reason: string } {
  const code = 'code' in error ? String(error.code) : error.message;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return { code: TOO_BIG, reason: `A message of the monitoring socket has more than ${MESSAGE_LIMIT_BYTES} bytes.` };
  }
  return { code: LOST, reason: `The monitoring socket cannot be opened, or was lost (${code}).` };
}
