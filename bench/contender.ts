import type { NodeProgram } from '../test/support/node-process.ts';

/** Where one contender works: a database of its own on the one Postgres, with Landline's tables, and a Redis database of its own. */
export interface Place {
  redisUrl: string;
  databaseUrl: string;
}

/** One webhook as the load generator signs it. */
export interface SignedEvent {
  body: Buffer;
  /** The ElevenLabs-Signature header. */
  signature: string;
  /** Unix seconds, as in the signature. */
  signedAt: number;
}

/** One way to do the job. All do the same one: verified events in, rows in the same tables out, each event once. */
export interface Contender {
  /** As in the tables and results. */
  name: string;
  /** Makes what its queue needs, in an empty place. */
  prepare: (place: Place) => Promise<void>;
  /** The process that answers POST /api/elevenlabs/webhook on 127.0.0.1, and GET /health/ready with 200 once it takes events. */
  receiver: (place: Place, port: number) => NodeProgram;
  /** The process that applies what the receiver queued; none where the receiver does it inside the request. */
  worker?: (place: Place, port: number) => NodeProgram;
  /** Queues events as the receiver does, by the fastest way that the queue offers: for a backlog. */
  fill?: (place: Place, events: Iterable<SignedEvent>) => Promise<void>;
  /** How many events (or jobs, where one may hold several) are not applied yet; cheap enough to ask ten times a second. */
  pending?: (place: Place) => Promise<number>;
}

/** What works off a backlog, and can tell how much of it is left. */
export type Applier = Pick<Contender, 'name'> & Required<Pick<Contender, 'worker' | 'pending'>>;

/** A contender with a queue that can be filled ahead of its worker. */
export type QueueingContender = Contender & Required<Pick<Contender, 'worker' | 'pending' | 'fill'>>;

/** Tells whether a contender has a queue to fill and to work off. */
export function isQueueing(contender: Contender): contender is QueueingContender {
  return contender.worker !== undefined && contender.fill !== undefined && contender.pending !== undefined;
}
