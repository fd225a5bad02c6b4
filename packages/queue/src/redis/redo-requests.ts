import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Leads to the list of requests, behind the prefix. */
const KEY = 'postgres-redo';

/** So many requests are kept: each is a loss of Postgres. */
const MOST_KEPT = 32;

/** How long requests are kept, in seconds: a receiver that comes back later than that has the ledger's own duplicates alone to fear. */
const KEPT_SECONDS = 400 * 24 * 3600;

/** For so long the same loss, found again, is not asked for again, in ms: a Postgres that takes no writes is found each second. */
const SAME_LOSS_MS = 600_000;

const requestSchema = z.object({
  id: z.string(),
  /** What tells one loss from another. */
  loss: z.string(),
  /** When it was asked for, in unix ms. */
  at: z.number(),
  /** What was enqueued at or after this time is to be enqueued again, in unix ms. */
  sinceMs: z.number(),
  /** The server of Postgres on which the loss was found. */
  server: z.string().optional(),
});

/** A worker's word that Postgres has lost what came at or after a time: every journal is to enqueue that again, once. */
export type RedoRequest = z.infer<typeof requestSchema>;

/** The requests that there are, oldest first. One that cannot be read, of a later version, is passed over. */
export async function readRedoRequests(connection: Redis, prefix: string): Promise<RedoRequest[]> {
  const texts = await connection.lrange(`${prefix}:${KEY}`, 0, -1);
  return texts.flatMap((text) => requestSchema.safeParse(parse(text)).data ?? []);
}

/** A request that is to be left. */
export type NewRedoRequest = Pick<RedoRequest, 'loss' | 'sinceMs' | 'server'> & {
  /** It is in vain where as much was asked for on the same server after this time, in unix ms. */
  notCoveredBefore?: number;
};

/**
 * Leaves a request for all journals, unless the same loss was just asked for. Resolves when Redis has it.
 *
 * @returns  Whether it is there: false where it would be in vain.
 */
export async function leaveRedoRequest(
  connection: Redis,
  prefix: string,
  { loss, sinceMs, server, notCoveredBefore = Infinity }: NewRedoRequest,
): Promise<boolean> {
  const at = Date.now();
  const known = await readRedoRequests(connection, prefix);
  if (known.some((request) => request.loss === loss && Math.abs(at - request.at) < SAME_LOSS_MS)) return true;
  const covers = (request: RedoRequest) =>
    request.server === server && request.sinceMs <= sinceMs && request.at >= notCoveredBefore;
  if (known.some(covers)) return false;
  const key = `${prefix}:${KEY}`;
  const request: RedoRequest = { id: randomUUID(), loss, at, sinceMs, server };
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
