import type { Redis } from 'ioredis';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import type { GarbageCollection } from './collect-garbage.ts';

/**
 * How much of a large job's data one command reads. The client holds what it receives twice, so the data is read in parts that are soon
 * garbage. Each command costs Redis one copy of the whole data.
 */
const PART_BYTES = 4 * 1024 * 1024;

const READ_PART = `return string.sub(redis.call('HGET', KEYS[1], 'data') or '', ARGV[1], ARGV[2])`;

const partSchema = z.instanceof(Buffer);

/** What a job's data is read with. */
export interface ReadDataOptions {
  connection: Redis;
  /** The key of the job. */
  key: string;
  /** Learns of each part that has become garbage. */
  garbage: GarbageCollection;
}

/** Reads the data of a job; returns undefined where it has none. @throws Redis' error */
export async function readData({ connection, key, garbage }: ReadDataOptions): Promise<unknown> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for (let end = 0, isLast = false; !isLast; end += PART_BYTES) {
    // oxlint-disable-next-line no-await-in-loop -- one part at a time is the point
    const part = partSchema.parse(await connection.callBuffer('EVAL', READ_PART, 1, key, end + 1, end + PART_BYTES));
    text += decoder.write(part);
    garbage.note(part.length);
    isLast = part.length < PART_BYTES;
  }
  return text === '' ? undefined : JSON.parse(text);
}
