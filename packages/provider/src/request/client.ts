import { ProviderError } from '../errors.ts';
import { Errands } from './errands.ts';
import { exchange, type Exchange } from './exchange.ts';
import { Places } from './places.ts';
import { counted, readBytes } from './read-bytes.ts';
import { isCrowded, refusalOf, type Purpose } from './refusal.ts';
import { retry, type RetryOptions } from './retry.ts';
import { TransientError } from './transient-error.ts';

/** A request of the provider's API. */
export interface Ask extends Purpose {
  /** Below the origin, with its query. */
  path: string;
  /** The body of a PATCH. It may be made again like a GET: it says how things shall be. */
  patch?: Readonly<Record<string, unknown>> | undefined;
  signal: AbortSignal;
}

/** How the client reaches the provider. */
export interface ClientOptions extends RetryOptions {
  apiKey: string;
  origin: string;
  silenceMs: number;
}

/** So much of a refusal is read, in bytes: the provider's have some hundred. */
const REFUSAL_BYTES = 65_536;

/** A whole answer may take so many times the silence that is waited for. */
const SILENCES = 10;

/** Throws for an answer that is none. May return what does the same for the first piece of its body. */
export type CheckAnswer = (response: Response) => void | ((first: Buffer) => void);

/** Reads the pieces of an answer from its beginning. It may be called again, with those of another one. */
export type ReadPieces<T> = (pieces: AsyncIterable<Buffer>) => Promise<T>;

/** What an answer may be that is read piece by piece. */
export interface StreamOptions {
  limitBytes: number;
  check: CheckAnswer;
}

/** Makes requests: a few at once, again after a failure, and with the key in the header alone. */
export class Client {
  readonly #options: ClientOptions;
  readonly #places = new Places();
  readonly #errands = new Errands();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Fetches an answer as a whole.
   *
   * @param parse  Reads the answer. Where it throws a `TransientError`, the answer is asked for again.
   */
  async read<T>(ask: Ask, limitBytes: number, parse: (bytes: Buffer) => T): Promise<T> {
    const { silenceMs } = this.#options;
    const limits = { bytes: limitBytes, silenceMs, ms: silenceMs * SILENCES };
    const { signal, done } = this.#errands.begin(ask.signal);
    const attempt = () =>
      this.#inPlace(ask, signal, async (answer, leave) => {
        const bytes = await readBytes(answer, limits);
        leave();
        return parse(bytes);
      });
    return retry(attempt, this.#options, signal).finally(done);
  }

  /**
   * Fetches an answer piece by piece. It holds a place until it is read to its end, or is left. Where it is cut, `read` is called once more with
   * the next answer, after a pause that holds no place.
   *
   * @param check  Throws for an answer that is another than was asked for.
   * @param read   Reads the pieces of one answer. What it throws of itself is not tried again.
   */
  async stream<T>(ask: Ask, { limitBytes, check }: StreamOptions, read: ReadPieces<T>): Promise<T> {
    const { signal, done } = this.#errands.begin(ask.signal);
    const attempt = () =>
      this.#inPlace(ask, signal, async (answer, leave) => {
        const checkFirst = check(answer.response);
        const pieces = counted(answer, { bytes: limitBytes, silenceMs: this.#options.silenceMs });
        const first = await pieces.next();
        if (first.done === true) throw new ProviderError('unusable', `ElevenLabs' answer for ${ask.what} is empty.`);
        checkFirst?.(first.value);
        return readUncut(first.value, pieces, { read, leave });
      });
    return retry(attempt, this.#options, signal).finally(done);
  }

  /** Ends all that is on its way. */
  close(): void {
    this.#errands.end(new ProviderError('unavailable', "The client of ElevenLabs' API was closed."));
  }

  /** Makes one request in a place of its own. `work` leaves the place, and ends the answer with it; where this throws, that is done. */
  async #inPlace<T>(
    ask: Ask,
    signal: AbortSignal,
    work: (answer: Exchange, leave: () => void) => Promise<T>,
  ): Promise<T> {
    const giveBack = await this.#places.take(signal);
    let leave = giveBack;
    try {
      const { url, init } = this.#request(ask);
      const answer = await exchange(url, init, { signal, silenceMs: this.#options.silenceMs });
      leave = () => {
        answer.end();
        giveBack();
      };
      if (!answer.response.ok) throw await this.#refusal(ask, answer);
      return await work(answer, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  #request({ path, patch }: Ask): { url: URL; init: RequestInit } {
    const headers = { 'xi-api-key': this.#options.apiKey };
    const url = new URL(`${this.#options.origin}${path}`);
    if (patch === undefined) return { url, init: { headers } };
    const body = JSON.stringify(patch);
    return { url, init: { method: 'PATCH', headers: { ...headers, 'content-type': 'application/json' }, body } };
  }

  async #refusal(ask: Ask, answer: Exchange): Promise<Error> {
    const body = await beginningOf(answer, this.#options.silenceMs);
    const error = refusalOf(answer.response, body, ask);
    if (isCrowded(answer.response.status, body)) this.#places.crowd();
    const pauseMs = error instanceof TransientError ? error.pauseMs : undefined;
    // One that no request waits for stops nobody.
    if (pauseMs !== undefined && pauseMs <= this.#options.patienceMs) this.#places.close(pauseMs);
    return error;
  }
}

/** Reads the beginning of a body, as far as it comes. */
async function beginningOf(answer: Exchange, silenceMs: number): Promise<Buffer> {
  const found: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of counted(answer, { bytes: Infinity, silenceMs })) {
      found.push(piece);
      bytes += piece.length;
      if (bytes >= REFUSAL_BYTES) break;
    }
  } catch (error) {
    // The status alone tells enough.
    if (!(error instanceof TransientError)) throw error;
  }
  return Buffer.concat(found);
}

/** Has an answer read whose first piece is here. @throws TransientError where it was cut, whatever the reader made of that; what the reader throws */
async function readUncut<T>(
  first: Buffer,
  rest: AsyncGenerator<Buffer, void, undefined>,
  { read, leave }: { read: ReadPieces<T>; leave: () => void },
): Promise<T> {
  let cut: TransientError | undefined;
  async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield first;
      yield* rest;
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      cut = error;
      throw error.fault;
    } finally {
      // What the reader does after the last piece needs no place.
      leave();
    }
  }
  try {
    return await read(pieces());
  } catch (error) {
    throw cut ?? error;
  } finally {
    leave();
  }
}
