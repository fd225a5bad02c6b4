import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** The key of the list of requests, behind the prefix. */
const KEY = 'postgres-redo';

/** How many requests Redis keeps; each is one loss of Postgres. */
const MOST_KEPT = 32;

/** How long Redis keeps requests, in seconds. A receiver that comes back later does not find them. */
const KEPT_SECONDS = 400 * 24 * 3600;

/** For so long a loss that is found again makes no second request, in ms. A Postgres that takes no writes is found each second. */
const SAME_LOSS_MS = 600_000;

const requestSchema = z.object({
  id: z.string(),
  /** Names the loss: the same for every request of it. */
  loss: z.string(),
  /** When the request was made, in unix ms. */
  at: z.number(),
  /** The journals enqueue again what they enqueued at or after this time, in unix ms. */
  sinceMs: z.number(),
  /** The server of Postgres on which the loss was found. */
  server: z.string().optional(),
});

/** A worker's request after a loss of Postgres: every journal enqueues again, once, what came at or after a time. */
export type RedoRequest = z.infer<typeof requestSchema>;

/** Reads all requests, oldest first. Skips those that this version cannot read. */
export async function readRedoRequests(connection: Redis, prefix: string): Promise<RedoRequest[]> {
  const texts = await connection.lrange(`${prefix}:${KEY}`, 0, -1);
  return texts.flatMap((text) => requestSchema.safeParse(parse(text)).data ?? []);
}

/** A request to make. */
export type NewRedoRequest = Pick<RedoRequest, 'loss' | 'sinceMs' | 'server'> & {
  /** By default a random one. The request has the same id on every shard. */
  id?: string;
  /** A request of the same server that was made after this time, and asks for as much, makes this one needless. In unix ms. */
  notCoveredBefore?: number;
};

/**
 * Leaves a request for all journals, unless the same loss has a recent one. Resolves when Redis has it.
 *
 * @returns  Whether Redis has a request for this loss; false where an earlier request covers it.
 */
export async function leaveRedoRequest(
  connection: Redis,
  prefix: string,
  { id = randomUUID(), loss, sinceMs, server, notCoveredBefore = Infinity }: NewRedoRequest,
): Promise<boolean> {
  const at = Date.now();
  const known = await readRedoRequests(connection, prefix);
  if (known.some((request) => request.loss === loss && Math.abs(at - request.at) < SAME_LOSS_MS)) return true;
  const covers = (request: RedoRequest) =>
    request.server === server && request.sinceMs <= sinceMs && request.at >= notCoveredBefore;
  if (known.some(covers)) return false;
  const key = `${prefix}:${KEY}`;
  const request: RedoRequest = { id, loss, at, sinceMs, server };
  await connection.rpush(key, JSON.stringify(request));
  await connection.ltrim(key, -MOST_KEPT, -1);
  await connection.expire(key, KEPT_SECONDS);
  return true;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
