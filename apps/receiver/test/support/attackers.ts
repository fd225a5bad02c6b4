import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { rawPost, statusesIn } from '../../../../test/support/raw-connection.ts';
import { signed, WEBHOOK_PATH } from '../../../../test/support/post.ts';

/** How long on average until a closed connection is opened again, in ms. The time is random: else a burst would come back as a burst. */
const REOPEN_MS = 2000;

/**
 * The share of connections that is opened at once: a burst, but far fewer than a receiver keeps.
 *
 * The same process sends the good events, and writes none during a burst. A burst that took all places would drop the
 * connection of such an event.
 */
const OPENING_SHARE = 1 / 20;

/** The time between two bytes of a slow sender, in ms. */
const TRICKLE_MS = 1000;

const WELL_FORMED = signed('a body that is never sent', 'a secret that nobody has');
const HEAD = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\nelevenlabs-signature: ${WELL_FORMED['elevenlabs-signature'] ?? ''}\r\n`;
const SLOW = `${HEAD}content-length: 1000000\r\n\r\n`;
const CUT = `${'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(700)}${HEAD}content-length: 16777216\r\n\r\n`;

const ANNOUNCED = `${HEAD}content-length: 268435456\r\n\r\n`;
const NO_SIGNATURE = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n`;

/** Connections that stay open. */
export interface Held {
  /** Returns how many connections were opened so far. */
  opened: () => number;
  stop: () => void;
}

/** Keeps `count` connections open that send nothing. */
export const holdIdle = (origin: string, count: number): Held => hold(origin, count, () => undefined);

/** Keeps `count` connections open that announce a body of 256 MiB and send nothing of it. */
export const holdAnnounced = (origin: string, count: number): Held =>
  hold(origin, count, (socket) => void socket.write(ANNOUNCED));

/** Keeps `count` connections open that send a body byte by byte. */
export function holdSlow(origin: string, count: number): Held {
  return hold(origin, count, (socket) => {
    socket.write(SLOW);
    const trickle = setInterval(() => socket.write('x'), TRICKLE_MS);
    socket.once('close', () => clearInterval(trickle));
  });
}

function hold(origin: string, count: number, begin: (socket: Socket) => void): Held {
  const sockets = new Set<Socket>();
  let isOver = false;
  let opened = 0;
  const keepOpen = () => {
    if (isOver) return;
    opened++;
    const socket = open(origin);
    sockets.add(socket);
    socket.once('connect', () => begin(socket)).resume();
    socket.once('close', () => {
      sockets.delete(socket);
      setTimeout(keepOpen, REOPEN_MS * (0.5 + Math.random()));
    });
  };
  let started = 0;
  const starting = setInterval(() => {
    for (let i = 0; i < count * OPENING_SHARE && started < count; i++, started++) keepOpen();
    if (started === count) clearInterval(starting);
  }, 50);
  return {
    opened: () => opened,
    stop() {
      isOver = true;
      clearInterval(starting);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** On each of `count` connections sends many requests and a part of a large body, reads no answer, and resets the connection. */
export async function cutPipelines(origin: string, count: number): Promise<void> {
  const body = Buffer.alloc(1_000_000, 'x');
  for (let i = 0; i < count; i++) {
    const socket = open(origin).pause();
    socket.write(CUT);
    socket.write(body);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await delay(50);
    socket.resetAndDestroy();
  }
}

/** Sends `count` events whose signature is wrong. Returns how often each status was the answer. */
export async function sendBadSignatures(origin: string, count: number): Promise<Map<number, number>> {
  const body = '{"type": "conversation.message"}';
  const request = rawPost(WEBHOOK_PATH, signed(body, 'a secret that nobody has'), body);
  const statuses = new Map<number, number>();
  const senders = 20;
  const atOnce = 10;
  const batch = Buffer.concat(Array.from({ length: atOnce }, () => request));
  await Promise.all(
    Array.from({ length: senders }, async () => {
      let sent = 0;
      while (sent < count / senders) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        for (const status of await exchange(origin, batch, atOnce))
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        sent += atOnce;
      }
    }),
  );
  return statuses;
}

/** A large body of an attacker. */
export interface LargeBad {
  bytes: number;
  /** Whether it has a signature, which turns out wrong. */
  isSigned: boolean;
}

/** Sends a large body, as fast as it is taken. Returns the status; 0 where the connection was cut before one came. */
export function sendLargeBad(origin: string, { bytes, isSigned }: LargeBad): Promise<number> {
  const piece = Buffer.alloc(262_144, 'x');
  return new Promise((resolve) => {
    let received = '';
    let left = bytes;
    const socket = open(origin);
    const done = () => {
      socket.destroy();
      resolve(statusesIn(received)[0] ?? 0);
    };
    const write = () => {
      while (left > 0 && !socket.destroyed) {
        const part = piece.subarray(0, left);
        left -= part.length;
        if (!socket.write(part)) return;
      }
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (statusesIn(received).length > 0) done();
    });
    socket.on('drain', write).once('close', done);
    socket.write(`${isSigned ? HEAD : NO_SIGNATURE}content-length: ${bytes}\r\n\r\n`);
    write();
  });
}

/** Sends `bytes` on one connection and reads `answers` answers. Returns those that came before the connection was cut. */
function exchange(origin: string, bytes: Buffer, answers: number): Promise<number[]> {
  return new Promise((resolve) => {
    let received = '';
    const socket = open(origin);
    const done = () => {
      socket.destroy();
      resolve(statusesIn(received));
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (statusesIn(received).length >= answers) done();
    });
    socket.once('close', done);
    socket.write(bytes);
  });
}

function open(origin: string): Socket {
  const { hostname, port } = new URL(origin);
  // The receiver may reset these connections.
  return connect({ host: hostname, port: Number(port) }).on('error', () => undefined);
}
