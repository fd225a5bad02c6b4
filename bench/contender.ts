import type { NodeProgram } from '../test/support/node-process.ts';

/** The servers of one contender: its own database on the shared Postgres, with Landline's tables, and its own Redis database. */
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

/** A contender: one design for the same task. It takes verified events, and writes rows into the same tables, once for each event. */
export interface Contender {
  /** Its name in tables and results. */
  name: string;
  /** Prepares its queue in an empty place. */
  prepare: (place: Place) => Promise<void>;
  /** Its receiver: it answers POST /api/elevenlabs/webhook on 127.0.0.1, and GET /health/ready with 200 once it takes events. */
  receiver: (place: Place, port: number) => NodeProgram;
  /** Its worker, which applies the queued events; undefined where the receiver applies them inside the request. */
  worker?: (place: Place, port: number) => NodeProgram;
  /** Queues events for a backlog as the receiver does, by the fastest call of the queue. */
  fill?: (place: Place, events: Iterable<SignedEvent>) => Promise<void>;
  /** Counts the events that are not applied yet, or the jobs where a job may hold several. It may be called ten times a second. */
  pending?: (place: Place) => Promise<number>;
}

/** A program that works off a backlog, and can count the rest of it. */
export type Applier = Pick<Contender, 'name'> & Required<Pick<Contender, 'worker' | 'pending'>>;

/** A contender with a queue that can be filled ahead of its worker. */
export type QueueingContender = Contender & Required<Pick<Contender, 'worker' | 'pending' | 'fill'>>;

/** Checks whether a contender has a queue that can be filled and worked off. */
export function isQueueing(contender: Contender): contender is QueueingContender {
  return contender.worker !== undefined && contender.fill !== undefined && contender.pending !== undefined;
}
