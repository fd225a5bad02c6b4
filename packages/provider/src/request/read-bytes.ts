import { ProviderError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { TransientError } from './transient-error.ts';

/** The least rate of an answer: a byte now and then is no silence, and would hold a place for ever. */
const LEAST_BYTES_PER_SECOND = 1024;

/** How much of an answer is read, and how slow it may be. */
export interface PieceLimits {
  bytes: number;
  /** After so long a wait for its pieces the answer must have come at the least rate, in ms. */
  silenceMs: number;
}

/** The limits of an answer that is read as a whole. */
export interface AnswerLimits extends PieceLimits {
  /** How long the whole answer may take, in ms. */
  ms: number;
}

/**
 * Reads an answer's whole body.
 *
 * @throws  ProviderError `unusable` for a body that is too large; TransientError for one that takes too long.
 */
export async function readBytes(answer: Exchange, limits: AnswerLimits): Promise<Buffer> {
  const { status } = answer.response;
  const endsAt = performance.now() + limits.ms;
  const found: Buffer[] = [];
  for await (const piece of counted(answer, limits)) {
    found.push(piece);
    if (performance.now() > endsAt) {
      const message = `ElevenLabs' answer has not ended within ${limits.ms / 1000} seconds. Try again later.`;
      throw new TransientError(new ProviderError('unavailable', message, { status }));
    }
  }
  return Buffer.concat(found);
}

/**
 * Reads an answer's body piece by piece, and counts it as it arrives. What the reader takes for a piece is not the sender's time.
 *
 * @throws  ProviderError `unusable` for a body that is too large; TransientError for one that is too slow.
 */
export async function* counted(answer: Exchange, limits: PieceLimits): AsyncGenerator<Buffer, void, undefined> {
  const { status } = answer.response;
  let bytes = 0;
  let waitedMs = 0;
  let askedAt = performance.now();
  for await (const piece of answer.pieces()) {
    bytes += piece.length;
    waitedMs += performance.now() - askedAt;
    if (bytes > limits.bytes) {
      const message = `ElevenLabs' answer has more than ${limits.bytes} bytes, and none that it documents has so many.`;
      throw new ProviderError('unusable', message, { status });
    }
    if (waitedMs > limits.silenceMs && (bytes * 1000) / waitedMs < LEAST_BYTES_PER_SECOND) {
      const message = `ElevenLabs' answer comes with less than ${LEAST_BYTES_PER_SECOND} bytes a second. Try again later.`;
      throw new TransientError(new ProviderError('unavailable', message, { status }));
    }
    yield piece;
    askedAt = performance.now();
  }
}
