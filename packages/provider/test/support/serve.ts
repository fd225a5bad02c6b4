import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { onTestFinished } from 'vitest';
import { openProvider, ProviderError, type Provider, type ProviderOptions } from '../../src/index.ts';

/** Long enough to tell that the header alone holds it. */
export const API_KEY = 'sk_of_these_tests';

/** What answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server in the place of the provider. */
export interface Served {
  provider: Provider;
  url: string;
  /** `<method> <path with query>` of the requests, in the order of their coming. */
  asked: string[];
  server: ReturnType<typeof createServer>;
}

/**
 * Starts a server that answers in the place of the provider, and opens a client of it. Both are closed with the test.
 *
 * @param answers  What answers the requests, one after the other; the last one also answers all further ones.
 */
export async function serve(answers: readonly Answer[], options: Partial<ProviderOptions> = {}): Promise<Served> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = originOf(server);
  const provider = openProvider({ apiKey: API_KEY, url, firstPauseMs: 1, silenceMs: 5_000, tries: 3, ...options });
  onTestFinished(() => {
    provider.close();
    server.closeAllConnections();
    server.close();
  });
  return { provider, url, asked, server };
}

/** Answers with JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };
}

/** Refuses as the provider does. */
export function refuse(status: number, word: string, headers: Record<string, string> = {}): Answer {
  return json({ detail: { status: word, message: `of ${word}` } }, status, headers);
}

function originOf(server: { address(): AddressInfo | string | null }): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

/** Reads all of an answer. */
export async function allOf(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

/** Returns the error with which the client fails. It holds the key nowhere, also not in its causes. */
export async function errorOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProviderError)) throw error;
  if (inspect(error, { depth: 10, showHidden: true }).includes(API_KEY)) throw new Error('The error holds the key.');
  return error;
}
