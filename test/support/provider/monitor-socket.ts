import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Answer } from './answers.ts';
import { sees, type Access } from './access.ts';
import { printJson } from './print-json.ts';
import type { World } from './world.ts';

/** The monitoring sockets of a stand-in. */
export interface Monitor {
  /** Sends an event to all that follow a call, and to those that come later: the last hundred. A text is sent as it is. */
  send: (conversationId: string, message: object | string) => void;
  /** Closes the sockets of a call, as the provider does when the call is over. The conversation itself stays as it is. */
  end: (conversationId: string, code?: number, reason?: string) => void;
  /** Cuts every socket, as a network does. */
  close: () => void;
  /** How many follow a call now. */
  followers: (conversationId: string) => number;
  /** All that clients have sent. Nothing that Landline does may. */
  received: string[];
}

/** What the sockets work with. */
export interface MonitorPorts {
  world: World;
  /** Returns what a request is answered instead of a socket; undefined: it gets one. */
  refuse: (request: IncomingMessage, path: string) => Answer | undefined;
}

const PATH = /^\/v1\/convai\/conversations\/([^/]+)\/monitor$/;
const MOST_AGAIN = 100;

/** Lets a server take monitoring sockets. */
export function openMonitor(server: Server, { world, refuse }: MonitorPorts): Monitor {
  const sockets = new WebSocketServer({ noServer: true });
  const followers = new Map<string, Set<WebSocket>>();
  const past = new Map<string, string[]>();
  const received: string[] = [];

  function follow(id: string, socket: WebSocket): void {
    const all = followers.get(id) ?? new Set();
    followers.set(id, all.add(socket));
    socket.on('close', () => void all.delete(socket));
    socket.on('error', () => socket.terminate());
    // oxlint-disable-next-line typescript/no-base-to-string -- a Buffer, as nothing else is asked for
    socket.on('message', (data) => void received.push(data.toString()));
    for (const text of inNoSureOrder(past.get(id) ?? [])) socket.send(text);
  }

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const path = new URL(request.url ?? '/', 'http://provider').pathname;
    const refusal = refuse(request, path);
    if (refusal !== undefined) {
      refuseSocket(stream, refusal);
      return;
    }
    const id = decodeURIComponent(PATH.exec(path)?.[1] ?? '');
    const access = world.keys.get(String(request.headers['xi-api-key']));
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const fault = whyNot(world, id, access);
      if (fault === undefined) follow(id, socket);
      else socket.close(1008, fault);
    });
  });

  return {
    send(conversationId, message) {
      const text = typeof message === 'string' ? message : printJson(message);
      past.set(conversationId, [...(past.get(conversationId) ?? []), text].slice(-MOST_AGAIN));
      for (const socket of followers.get(conversationId) ?? []) socket.send(text);
    },
    end(conversationId, code = 1000, reason = '') {
      for (const socket of followers.get(conversationId) ?? []) socket.close(code, reason);
    },
    close() {
      for (const socket of sockets.clients) socket.terminate();
    },
    followers: (conversationId) => followers.get(conversationId)?.size ?? 0,
    received,
  };
}

/** Returns why a call may not be followed; undefined: it may. */
function whyNot({ conversations, agents }: World, id: string, access: Access | undefined): string | undefined {
  const account = conversations.get(id);
  if (account === undefined || access === undefined || !sees(access, account.agent_id)) return 'Conversation not found';
  const { conversation } = agents.get(account.agent_id)?.conversation_config ?? {};
  if (conversation?.monitoring_enabled !== true) return 'Monitoring is not enabled for this agent';
  return account.status === 'in-progress' ? undefined : 'Conversation is not active';
}

/** Every second event first: the provider does not say in which order they come again. */
function inNoSureOrder(texts: readonly string[]): string[] {
  return [...texts.filter((_, i) => i % 2 === 1), ...texts.filter((_, i) => i % 2 === 0)];
}

/** Answers a request for a socket with an error. */
function refuseSocket(stream: Duplex, { status, body, headers, manner }: Answer): void {
  stream.on('error', () => stream.destroy());
  if (manner !== undefined) return void stream.destroy();
  const text = printJson(body);
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' });
  stream.end(
    `HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`,
  );
}
