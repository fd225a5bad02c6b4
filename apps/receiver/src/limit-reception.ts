import { Transform } from 'node:stream';
import type { Refusal } from '@landline/webhook';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** How many bytes of bodies may be under way at once. Past it a sender is told to come again, before the machine runs out. */
export const MAX_RECEIVING_BYTES = 268_435_456;

/** Bodies up to this size, in bytes, are simply read: all connections of a machine together hold less than the limit. */
const UNCOUNTED_BYTES = 65_536;

/** More bodies are under way than there is memory for. */
export class ReceptionFullError extends Error {
  readonly code = 'reception_full';
  /** Fastify makes 400 of an error in a body's stream that names no status. */
  readonly statusCode = 503;

  constructor() {
    super(`Bodies of more than ${MAX_RECEIVING_BYTES / 1024 ** 2} MiB are under way: there is no memory for another.`);
    this.name = 'ReceptionFullError';
  }
}

/** What bounds the reception of large bodies. */
export interface ReceptionOptions {
  maxBytes?: number | undefined;
  /** Why a request is to be refused by its headers alone, if they are enough for that. */
  refusalOf: (request: FastifyRequest) => Refusal | undefined;
  refuse: (reply: FastifyReply, refusal: Refusal) => void;
}

/**
 * Bounds the memory that bodies under way take together, by their declared length, else as they arrive. Whoever sends a
 * large one without naming a fresh signature is refused before a byte of it is read.
 */
export function limitReception(
  app: FastifyInstance,
  { maxBytes = MAX_RECEIVING_BYTES, refusalOf, refuse }: ReceptionOptions,
): void {
  let receiving = 0;
  const bodyLimit = app.initialConfig.bodyLimit ?? Number.POSITIVE_INFINITY;

  app.addHook('preParsing', (request, reply, payload, done) => {
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    const declared = Number(request.headers['content-length'] ?? 0);
    // What is over the limit Fastify answers 413 without reading it.
    if (!isChunked && (declared <= UNCOUNTED_BYTES || declared > bodyLimit)) return done(null, payload);
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      // The rest of the body is not waited for.
      reply.header('connection', 'close');
      return refuse(reply, refusal);
    }
    let counted = 0;
    const count = (bytes: number) => {
      counted += bytes;
      receiving += bytes;
      return receiving <= maxBytes;
    };
    reply.raw.once('close', () => (receiving -= counted));
    if (!isChunked) return count(declared) ? done(null, payload) : done(new ReceptionFullError());
    const counting = new Transform({
      transform: (chunk: Buffer, _encoding, next) =>
        count(chunk.length) ? next(null, chunk) : next(new ReceptionFullError()),
    });
    return done(null, payload.pipe(counting));
  });
}
